"""Rolling-origin folds: what was known at a cut-off, and what then happened.

A fold's series ends at its cut-off, so a forecaster that is handed one cannot look further. The
latest folds are for the contest between families; the search gets earlier ones, whose days all
lie before the first contest cut-off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from services.training.demand.censoring import expected_demand
from services.training.demand.features import filled, planned_regressors
from services.training.demand.prediction import Floats, Prediction
from services.training.demand.series import Series, weekdays

_SHORTEST_TRAINING: Final = 21
_SHORTEST_FOLD: Final = 7
_FEWEST_KNOWN_DAYS: Final = 14
_SEASON: Final = 91
_YEAR: Final = 365

Forecaster = Callable[[Series], Prediction]


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """`series` as known at the cut-off, its plan the fold's days; `actual` (days,) the demand that
    followed; `scored` the days that judge: open and known.

    On a sold-out day demand is what was expected given that at least so much was sold. Leaving
    those days out would judge by the quiet ones, and favour forecasts that are too low."""

    series: Series
    actual: Floats
    scored: npt.NDArray[np.bool_]

    @property
    def can_judge(self) -> bool:
        """Something was known before the cut-off to learn from, and after it to be scored on."""
        known = int(np.isfinite(self.series.history["quantity"].to_numpy()).sum())
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
    def median(self) -> Floats:
        return np.maximum(self.prediction.median[self.fold.scored], 0.0)

    @property
    def quantiles(self) -> Floats:
        return np.maximum(self.prediction.quantiles[self.fold.scored], 0.0)

    @property
    def absolute_errors(self) -> Floats:
        return np.abs(self.actual - self.median)


def plan_folds(series: Series, horizon: int, search: int, contest: int) -> FoldPlan:
    """Folds as long as the horizon where history allows, shorter and fewer where it does not.

    Contest folds lie end to end at the end of history. Search folds lie before them, spread over
    the seasons where the history is long: parameters tuned on one month alone fit that month.
    The contest is served first; a history too short for any fold gives none.
    """
    layout = contest_layout(len(series.history), horizon, search, contest)
    latest = len(series.history) - 1 - layout.days * (len(layout.cutoffs) + 1)
    cut = partial(fold_at, series, planned_regressors(series), layout.days)
    tuned = _search_cutoffs(latest, layout.days, search)
    return FoldPlan(_able_to_judge(map(cut, tuned)), _able_to_judge(map(cut, layout.cutoffs)))


@dataclass(frozen=True, slots=True)
class Layout:
    """Rows of history that contest folds are cut at, in order, and how many days each has."""

    cutoffs: tuple[int, ...]
    days: int


def contest_layout(history_days: int, horizon: int, search: int, contest: int) -> Layout:
    """Where the contest folds of so long a history lie, whether or not they can judge."""
    spare = history_days - _SHORTEST_TRAINING
    days = min(horizon, max(spare // (search + contest), min(_SHORTEST_FOLD, horizon)))
    count = min(contest, max(spare, 0) // days)
    return Layout(tuple(history_days - 1 - days * back for back in range(count, 0, -1)), days)


def _search_cutoffs(latest: int, days: int, wanted: int) -> list[int]:
    """Rows to cut at, in order: up to a season apart while a year remains to learn from."""
    if wanted == 0:
        return []
    apart = (latest - _YEAR) // max(wanted - 1, 1)
    stride = min(max(apart, days), max(_SEASON, days))
    cutoffs = [latest - stride * back for back in range(wanted - 1, -1, -1)]
    return [cutoff for cutoff in cutoffs if cutoff + 1 >= _SHORTEST_TRAINING]


def _able_to_judge(folds: Iterable[Fold]) -> tuple[Fold, ...]:
    return tuple(fold for fold in folds if fold.can_judge)


def fold_at(series: Series, known: frozenset[str], days: int, cutoff: int) -> Fold:
    """The fold whose cut-off is row `cutoff` of history, judged by what is known at its end: later
    days do not even tell what its sold-out ones were worth.

    Regressors `known` in advance keep their values after it, with climatology where none was
    recorded; those that are foreseen are as they were foreseen then; the others have none there."""
    past, ahead = slice(cutoff + 1), slice(cutoff + 1, cutoff + 1 + days)
    actual = expected_demand(series.history.iloc[: cutoff + 1 + days])[ahead]
    weekday = weekdays(series.history.index)
    plan: dict[str, Floats] = {}
    for name in series.regressors:
        values = series.history[name].to_numpy()
        if name in known:
            plan[name] = filled(values[ahead], weekday[ahead], values[past], weekday[past])
        else:
            plan[name] = np.full(actual.size, np.nan)
    return Fold(
        series=series.known_at(cutoff + 1, days, plan),
        actual=actual,
        scored=series.history["open"].to_numpy()[ahead] & ~np.isnan(actual),
    )


def walk_forward(folds: Sequence[Fold], forecaster: Forecaster) -> list[FoldForecast]:
    """The forecaster's answer at every cut-off, in order."""
    return [FoldForecast(fold, forecaster(fold.series)) for fold in folds]
