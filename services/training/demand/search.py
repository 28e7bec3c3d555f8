"""Parameter search on rolling folds: Optuna in memory, ask and tell, seeded.

Trial 0 is always the default. Few folds overfit, so the best trial replaces the default only when
its gain exceeds the standard error of that gain.
"""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, assert_never

import numpy as np

from services.training.demand.backtest import FoldForecast
from services.training.demand.comparison import compare
from services.training.demand.config import Optimizer
from services.training.demand.prediction import Floats

if TYPE_CHECKING:
    import optuna

Value = float | int | str
Parameters = dict[str, Value]
Evaluate = Callable[[Parameters, int], FoldForecast]
"""Forecast of one fold, by its number, under given parameters."""

_STARTUP_TRIALS: Final = 6


class OptimizerUnavailableError(ValueError):
    """The optimizer needs a package that is not installed."""


@dataclass(frozen=True, slots=True)
class Range:
    """A continuous parameter and the points a grid tries on it."""

    low: float
    high: float
    grid: tuple[float, ...]
    log: bool = True


@dataclass(frozen=True, slots=True)
class Choice:
    options: tuple[Value, ...]


Space = Mapping[str, Range | Choice]


@dataclass(frozen=True, slots=True)
class Budget:
    """`trials` at most, the default among them, and no more once `patience` of them in a row
    have not improved on the best; `spent()` is asked between fits."""

    trials: int
    patience: int
    spent: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Trial:
    """`loss` is the mean absolute error over the scored days of all folds; of a pruned trial,
    of the folds it reached."""

    number: int
    parameters: Parameters
    loss: float
    pruned: bool
    forecasts: tuple[FoldForecast, ...]

    def to_dict(self) -> dict[str, object]:
        return {
            "number": self.number,
            "parameters": dict(self.parameters),
            "loss": self.loss,
            "pruned": self.pruned,
        }


@dataclass(frozen=True, slots=True)
class SearchResult:
    chosen: Trial
    trials: tuple[Trial, ...]


def search(
    space: Space,
    default: Parameters,
    folds: int,
    evaluate: Evaluate,
    optimizer: Optimizer,
    budget: Budget,
    seed: int,
    on_trial: Callable[[int], None],
) -> SearchResult:
    """The parameters to use, and every trial. The same inputs and seed give the same result
    unless the budget's clock cuts the search short. The default is tried whatever the budget."""
    study = _study(optimizer, space, seed)
    planned = _planned(optimizer, space, default, budget.trials, seed)
    for point in planned:
        study.enqueue_trial(point, skip_if_exists=True)
    most = len(planned) if optimizer is Optimizer.GRID else budget.trials
    trials: list[Trial] = []
    while len(trials) < most and not (trials and (budget.spent() or _is_stuck(trials, budget))):
        trials.append(_run(study, space, folds, evaluate, budget))
        on_trial(len(trials))
    return SearchResult(_choose(trials), tuple(trials))


def _run(
    study: optuna.Study, space: Space, folds: int, evaluate: Evaluate, budget: Budget
) -> Trial:
    import optuna

    trial = study.ask(_distributions(space))
    forecasts: list[FoldForecast] = []
    stopped = False
    for fold in range(folds):
        forecasts.append(evaluate(trial.params, fold))
        trial.report(_loss(forecasts), fold)
        cut = trial.should_prune() or (trial.number > 0 and budget.spent())
        stopped = cut and trial.number > 0 and fold < folds - 1
        if stopped:
            break
    state = optuna.trial.TrialState.PRUNED if stopped else optuna.trial.TrialState.COMPLETE
    loss = _loss(forecasts)
    study.tell(trial, None if stopped else loss, state)
    return Trial(trial.number, dict(trial.params), loss, stopped, tuple(forecasts))


def _is_stuck(trials: Sequence[Trial], budget: Budget) -> bool:
    finished = [trial for trial in trials if not trial.pruned]
    best = min(finished, key=lambda trial: trial.loss)
    return len(trials) - 1 - best.number >= budget.patience


def _choose(trials: Sequence[Trial]) -> Trial:
    default = trials[0]
    best = min((trial for trial in trials if not trial.pruned), key=lambda trial: trial.loss)
    gain = compare(_errors(default), _errors(best))
    return best if gain.mean > gain.standard_error else default


def _study(optimizer: Optimizer, space: Space, seed: int) -> optuna.Study:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.create_study(
        sampler=_sampler(optimizer, seed),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=_STARTUP_TRIALS, n_warmup_steps=0),
    )


def _sampler(optimizer: Optimizer, seed: int) -> optuna.samplers.BaseSampler:
    from optuna import samplers

    match optimizer:
        case Optimizer.TPE:
            return samplers.TPESampler(seed=seed, n_startup_trials=_STARTUP_TRIALS)
        case Optimizer.RANDOM | Optimizer.GRID:
            return samplers.RandomSampler(seed=seed)
        case Optimizer.CMAES:
            if importlib.util.find_spec("cmaes") is None:
                raise OptimizerUnavailableError(
                    "optimizer 'cmaes' needs the package cmaes: install it, or choose tpe, "
                    "random or grid"
                )
            return samplers.CmaEsSampler(seed=seed, warn_independent_sampling=False)
        case _:
            assert_never(optimizer)


def _planned(
    optimizer: Optimizer, space: Space, default: Parameters, trials: int, seed: int
) -> list[Parameters]:
    """Trial 0, and of a grid the other points too, in seeded order."""
    if optimizer is not Optimizer.GRID:
        return [default]
    axes = [item.grid if isinstance(item, Range) else item.options for item in space.values()]
    points: list[Parameters] = [
        dict(zip(space, values, strict=True)) for values in itertools.product(*axes)
    ]
    shuffled = [points[i] for i in np.random.default_rng(seed).permutation(len(points))]
    return [default, *[point for point in shuffled if point != default]][:trials]


def _distributions(space: Space) -> dict[str, optuna.distributions.BaseDistribution]:
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    return {
        name: FloatDistribution(item.low, item.high, log=item.log)
        if isinstance(item, Range)
        else CategoricalDistribution(item.options)
        for name, item in space.items()
    }


def _errors(trial: Trial) -> list[Floats]:
    return [forecast.absolute_errors for forecast in trial.forecasts]


def _loss(forecasts: Sequence[FoldForecast]) -> float:
    return float(np.concatenate([forecast.absolute_errors for forecast in forecasts]).mean())
