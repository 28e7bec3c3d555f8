"""The families that enter the contest: tuned on the search folds, from then on only fitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from services.training.demand.backtest import Fold, walk_forward
from services.training.demand.baseline import Baseline, forecast_baseline
from services.training.demand.config import Family
from services.training.demand.entry import Entry, Fitted
from services.training.demand.features import Design, prepare
from services.training.demand.model import PosedDesign
from services.training.demand.pooled_family import (
    PooledAnswers,
    combination_entry,
    pooled_entry,
    restore_combination,
    restore_pooled,
)
from services.training.demand.prediction import Floats, Prediction
from services.training.demand.prophet_family import (
    PlannedProphet,
    Tuning,
    prophet_entry,
    tune_prophet,
)
from services.training.demand.prophet_json import from_dict
from services.training.demand.prophet_space import from_params
from services.training.demand.search import Trial
from services.training.demand.series import Series

NEEDING_POOLS = frozenset({Family.POOLED, Family.COMBINE})
NEEDING_PROPHET = frozenset({Family.PROPHET, Family.COMBINE})


@dataclass(frozen=True, slots=True)
class Entered:
    """The entries, in the order asked for, and the trials of the search they share."""

    entries: tuple[Entry, ...]
    trials: tuple[Trial, ...]


def enter(
    families: Sequence[Family],
    folds: Sequence[Fold],
    design: Design,
    tuning: Tuning,
    answers: PooledAnswers | None,
) -> Entered:
    """The families, tuned on `folds`; `design` tells what a model of the whole series will hold.

    Those that need `answers` must not be asked for without. Raises `UnusableParametersError`."""
    tuned = tune_prophet(folds, design, tuning) if NEEDING_PROPHET & {*families} else None
    entries: list[Entry] = []
    for family in families:
        match family:
            case Family.BASELINE:
                entries.append(better_baseline(folds))
            case Family.PROPHET:
                assert tuned is not None
                entries.append(prophet_entry(tuned))
            case Family.POOLED:
                assert answers is not None
                entries.append(pooled_entry(answers))
            case Family.COMBINE:
                assert answers is not None
                assert tuned is not None
                entries.append(combination_entry(answers, tuned))
            case _:
                assert_never(family)
    return Entered(tuple(entries), () if tuned is None else tuned.trials)


def restore(
    family: Family, params: dict[str, object], content: dict[str, object], series: Series
) -> Fitted:
    """What `Fitted.to_dict` wrote of a family, beside the series it was fitted to."""
    match family:
        case Family.BASELINE:
            return FittedBaseline(series, Baseline(str(content["method"])))
        case Family.PROPHET:
            posed = PosedDesign(prepare(series))
            return PlannedProphet(from_dict(content, from_params(params), posed))
        case Family.POOLED:
            return restore_pooled(content)
        case Family.COMBINE:
            return restore_combination(content, params, series)
        case _:
            assert_never(family)


@dataclass(frozen=True, slots=True)
class FittedBaseline:
    series: Series
    method: Baseline

    def predict(self) -> Prediction:
        return forecast_baseline(self.series, self.method)

    def parts(self) -> dict[str, Floats]:
        return {self.method.value: self.predict().mean}

    def to_dict(self) -> dict[str, object]:
        return {"method": self.method.value}


def baseline_entry(method: Baseline, folds: Sequence[Fold]) -> Entry:
    """One baseline method as an entry; it has nothing to tune."""

    def fit(series: Series) -> Fitted:
        return FittedBaseline(series, method)

    rehearsal = walk_forward(folds, lambda series: forecast_baseline(series, method))
    return Entry(Family.BASELINE, {"method": method.value}, fit, tuple(rehearsal))


def better_baseline(folds: Sequence[Fold]) -> Entry:
    """The better of the two baselines on the search folds; the same-weekday mean without any."""
    methods = (Baseline.SAME_WEEKDAY_MEAN, Baseline.SEASONAL_NAIVE)
    entries = [baseline_entry(method, folds) for method in methods]
    return min(entries, key=lambda entry: sum(f.absolute_errors.sum() for f in entry.rehearsal))
