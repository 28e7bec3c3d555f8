"""A fitted pool as JSON and back: LightGBM's own text for the boosters, never a pickle."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final, TypedDict

import numpy as np

from services.training.demand.pooled.boosters import from_text, to_text
from services.training.demand.pooled.config import PoolConfig
from services.training.demand.pooled.examples import Knowledge
from services.training.demand.pooled.features import Vocabulary
from services.training.demand.pooled.pool import Boosters, FittedPool
from services.training.demand.pooled.seasons import YearlyRhythm
from services.training.demand.pooled.views import View

_FORMAT: Final = 2


class SavedRhythm(TypedDict):
    first_day: int
    demand: list[float | None]


class SavedBoosters(TypedDict):
    quantiles: list[str]
    mean: str


class SavedPool(TypedDict):
    """JSON-able; unknown demand is null."""

    format: int
    config: dict[str, float]
    words: dict[str, list[str]]
    rhythms: dict[str, SavedRhythm]
    boosters: dict[str, SavedBoosters]


class UnknownPoolFormat(ValueError):
    """Written by another version of the pool."""

    def __init__(self, found: int) -> None:
        super().__init__(f"pool format {found} is not {_FORMAT}: train the pool again")
        self.found = found


def to_dict(pool: FittedPool) -> SavedPool:
    """All that `predict` needs beside the series."""
    words = pool.knowledge.words
    return SavedPool(
        format=_FORMAT,
        config=asdict(pool.config),
        words={name: list(known) for name, known in asdict(words).items()},
        rhythms={
            location: SavedRhythm(first_day=rhythm.first_day, demand=_nulls(rhythm.demand))
            for location, rhythm in pool.knowledge.rhythms.items()
        },
        boosters={
            view.value: SavedBoosters(
                quantiles=[to_text(booster) for booster in boosters.quantiles],
                mean=to_text(boosters.mean),
            )
            for view, boosters in pool.boosters.items()
        },
    )


def from_dict(saved: SavedPool) -> FittedPool:
    """The pool that `to_dict` wrote; it predicts the same. Raises `UnknownPoolFormat`."""
    if saved["format"] != _FORMAT:
        raise UnknownPoolFormat(saved["format"])
    rhythms = {
        location: YearlyRhythm(rhythm["first_day"], np.array(rhythm["demand"], dtype=np.float64))
        for location, rhythm in saved["rhythms"].items()
    }
    return FittedPool(
        config=PoolConfig(**saved["config"]),  # type: ignore[arg-type]
        knowledge=Knowledge(
            Vocabulary(**{name: tuple(known) for name, known in saved["words"].items()}), rhythms
        ),
        boosters={
            View(view): Boosters(
                tuple(map(from_text, boosters["quantiles"])), from_text(boosters["mean"])
            )
            for view, boosters in saved["boosters"].items()
        },
    )


def _nulls(values: np.ndarray) -> list[float | None]:
    return [None if value != value else value for value in values.tolist()]
