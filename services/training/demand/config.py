"""What a training is asked for, and how it reports on its way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Optimizer(StrEnum):
    TPE = "tpe"
    RANDOM = "random"
    GRID = "grid"
    CMAES = "cmaes"


class Backend(StrEnum):
    """Who fits Prophet: our exact solver, or Prophet's own Stan program."""

    MAP = "map"
    STAN = "stan"


class Family(StrEnum):
    """`POOLED` and `COMBINE` need the pools of a tenant's series; see `wants_pool`."""

    BASELINE = "baseline"
    PROPHET = "prophet"
    POOLED = "pooled"
    COMBINE = "combine"


class TrainingStage(StrEnum):
    FEATURES = "features"
    SEARCH = "search"
    FIT = "fit"
    EVALUATE = "evaluate"
    CALIBRATE = "calibrate"


class InvalidConfigError(ValueError):
    """A training option out of its range; the message names the option, its value and the limit."""


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """Options of one training; `dataclasses.asdict` of it is JSON and enters the fingerprint.

    `max_trials` None: the cap of the demand class, and Prophet's share of it where it has a part in
    a combination. `families` None: every family but the baseline, which is what each is held
    against. `max_seconds` is looked at between fits, never inside one. A search ends once its next
    trial is expected to save less than `least_gain` of the loss of what is served. `search_folds`
    tune, `contest_folds` judge: the search never sees these. `first_params` are tried right after
    the default, as far as they are known: the parameters of the product's last model.
    """

    horizon_days: int = 28
    optimizer: str = Optimizer.TPE
    max_trials: int | None = None
    families: tuple[str, ...] | None = None
    min_training_days: int = 30
    seed: int = 2026
    max_seconds: float = 1800.0
    least_gain: float = 0.0005
    search_folds: int = 8
    contest_folds: int = 6
    backend: str = Backend.MAP
    first_params: dict[str, float | int | str] | None = None

    def __post_init__(self) -> None:
        _require("horizon_days", self.horizon_days, 1, 365)
        _require("max_trials", 1 if self.max_trials is None else self.max_trials, 1, 1000)
        _require("min_training_days", self.min_training_days, 28, 3650)
        _require("least_gain", self.least_gain, 0, 1)
        _require("max_seconds", self.max_seconds, 0, 7 * 86400)
        _require("search_folds", self.search_folds, 0, 12)
        _require("contest_folds", self.contest_folds, 1, 12)
        _require_one_of("optimizer", self.optimizer, [item.value for item in Optimizer])
        _require_one_of("backend", self.backend, [item.value for item in Backend])
        for family in self.families if self.families is not None else (Family.PROPHET,):
            _require_one_of("families", family, [item.value for item in Family])
        if self.families == ():
            raise InvalidConfigError("families is empty: name one, or leave it out for all")


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a training is: `fraction` in 0..1 never falls within one training."""

    stage: TrainingStage
    fraction: float
    trials_done: int = 0


def wants_pool(config: TrainingConfig) -> bool:
    """Whether a family of this training learns across the tenant's series."""
    asked = config.families
    return asked is None or Family.POOLED in asked or Family.COMBINE in asked


Report = Callable[[Progress], None]


Tell = Callable[[float], None]
"""Is told what share of a piece of work is done, 0 to 1."""


def ignore(progress: Progress) -> None:
    """The report of those who do not listen."""


def untold(share: float) -> None:
    """Nobody is told."""


def between(tell: Tell, low: float, high: float) -> Tell:
    """Tells the shares of a piece that is this part of the whole."""
    return lambda share: tell(low + (high - low) * share)


def _require(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise InvalidConfigError(f"{name} is {value}; give a value from {low} to {high}")


def _require_one_of(name: str, value: str, allowed: list[str]) -> None:
    if value not in allowed:
        raise InvalidConfigError(f"{name} holds {value!r}; choose from {', '.join(allowed)}")
