"""The protocol's numbers and the frames that a method is handed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from services.training.demand.classification import DemandClass
from services.training.demand.prediction import LEVELS, Floats, Prediction
from services.training.demand.series import Series

HORIZON: Final = 14
STRIDE: Final = 14
ORIGINS: Final = 4
LONGEST_TRAINING: Final = 1096
SHORTEST_HISTORY: Final = 56
FEWEST_DAYS_WITH_SALES: Final = 10
RECENT_DAYS: Final = 28
MOST_SERIES: Final = 40
STRATA: Final = 10
SEED: Final = 2026
SCORED_LEVELS: Final = tuple(level for level in LEVELS if 0.1 <= level <= 0.9)

Method = Callable[[Sequence[Series]], list[Prediction]]
"""Answers for the plan of each series of a tenant, which ends at the origin; the method may
learn across them. The plan knows of a regressor only what was known in advance."""


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One series at one origin: what was known, what then happened, and which days judge."""

    name: str
    series: Series
    actual: Floats
    scored: npt.NDArray[np.bool_]
    naive_error: float
    demand_class: DemandClass


@dataclass(frozen=True, slots=True, eq=False)
class DataSet:
    """`origins` in order of time; each holds the cases that are active there."""

    name: str
    series_count: int
    origins: tuple[tuple[Case, ...], ...]
