"""Rolling-origin folds: what was known at a cut-off, and what then happened.

A fold's series ends at its cut-off, so a forecaster that is handed one cannot look further. The
latest folds are for the contest between families; the search gets earlier ones, whose days all
lie before the first contest cut-off.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from services.training.demand.features import planned_regressors
from services.training.demand.prediction import Floats, Prediction
from services.training.demand.series import PLAN_COLUMNS, Series

_SHORTEST_TRAINING: Final = 21
_SHORTEST_FOLD: Final = 7
_FEWEST_KNOWN_DAYS: Final = 14

Forecaster = Callable[[Series], Prediction]


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """`series` as known at the cut-off, its plan the fold's days; `actual` (days,) the sales that
    followed; `scored` the days that judge: open, known and not sold out."""

    series: Series
    actual: Floats
    scored: npt.NDArray[np.bool_]

    @property
    def can_judge(self) -> bool:
        """Something was known before the cut-off to learn from, and after it to be scored on."""
        known = int(self.series.history["quantity"].notna().sum())
        return known >= _FEWEST_KNOWN_DAYS and bool(self.scored.any())

    @property
    def cutoff(self) -> pd.Timestamp:
        return self.series.data_through


@dataclass(frozen=True, slots=True)
class FoldPlan:
    """Cut-offs in order of time, `days` long each; no day belongs to two folds."""

    search: tuple[Fold, ...]
    contest: tuple[Fold, ...]


@dataclass(frozen=True, slots=True, eq=False)
class FoldForecast:
    """A forecast and the fold it was made for; the properties hold the scored days alone."""

    fold: Fold
    prediction: Prediction

    @property
    def actual(self) -> Floats:
        return self.fold.actual[self.fold.scored]

    @property
    def mean(self) -> Floats:
        """As it would be served: never negative."""
        return np.maximum(self.prediction.mean[self.fold.scored], 0.0)

    @property
    def quantiles(self) -> Floats:
        return np.maximum(self.prediction.quantiles[self.fold.scored], 0.0)

    @property
    def absolute_errors(self) -> Floats:
        return np.abs(self.actual - self.mean)


def plan_folds(series: Series, horizon: int, search: int, contest: int) -> FoldPlan:
    """Folds as long as the horizon where history allows, shorter and fewer where it does not.

    The contest is served first; a history too short for any fold gives none.
    """
    spare = len(series.history) - _SHORTEST_TRAINING
    days = min(horizon, max(spare // (search + contest), min(_SHORTEST_FOLD, horizon)))
    count = min(search + contest, max(spare, 0) // days)
    last = len(series.history) - 1
    cutoffs = [last - days * back for back in range(count, 0, -1)]
    known = planned_regressors(series)
    everywhere = (fold_at(series, position, days, known) for position in cutoffs)
    folds = tuple(fold for fold in everywhere if fold.can_judge)
    first_contest = max(0, len(folds) - contest)
    return FoldPlan(search=folds[:first_contest], contest=folds[first_contest:])


def fold_at(series: Series, cutoff: int, days: int, known: frozenset[str]) -> Fold:
    """The fold whose cut-off is row `cutoff` of history. Only the regressors `known` in advance
    keep their values after it."""
    future = series.history.iloc[cutoff + 1 : cutoff + 1 + days]
    plan = future[[*PLAN_COLUMNS, *series.regressors]].copy()
    plan[[name for name in series.regressors if name not in known]] = np.nan
    actual = future["quantity"].to_numpy(dtype=np.float64)
    scored = future["open"].to_numpy() & ~np.isnan(actual) & ~future["stockout"].to_numpy()
    return Fold(
        series=replace(series, history=series.history.iloc[: cutoff + 1], plan=plan),
        actual=actual,
        scored=scored,
    )


def walk_forward(folds: Sequence[Fold], forecaster: Forecaster) -> list[FoldForecast]:
    """The forecaster's answer at every cut-off, in order."""
    return [FoldForecast(fold, forecaster(fold.series)) for fold in folds]
