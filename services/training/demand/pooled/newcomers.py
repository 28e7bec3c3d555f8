"""How the pool does on products it hardly knows, beside the same-weekday mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from services.training.demand.backtest import Fold, FoldForecast
from services.training.demand.baseline import forecast_baseline
from services.training.demand.comparison import compare
from services.training.demand.metrics import pinball
from services.training.demand.pooled.pool import FittedPool
from services.training.demand.pooled.tenant import Mixture
from services.training.demand.prediction import LEVELS, Floats

DAYS_KNOWN: Final = (7, 14, 21)
_FEWEST_PRODUCTS: Final = 5
_UNSEEN: Final = "\x00"
_COLUMNS: Final = [column for column, level in enumerate(LEVELS) if 0.1 <= level <= 0.9]


@dataclass(frozen=True, slots=True)
class Newcomers:
    """Of `products` cut to their first days: the share of the baseline's quantile loss that the
    pool saved, each product counting the same, and the probability that it is real."""

    products: int
    skill: float
    confidence: float


def judge_newcomers(pool: FittedPool, mixture: Mixture, folds: Sequence[Fold]) -> Newcomers | None:
    """The pool on the folds' series as if these had begun one to three weeks before the cut-off,
    under a name it has not seen; None of too few. Mixture and pool must know nothing after the
    cut-offs."""
    cut = [_young(fold, DAYS_KNOWN[number % len(DAYS_KNOWN)]) for number, fold in enumerate(folds)]
    young = [fold for fold in cut if fold is not None]
    answers = pool.answers([fold.series for fold in young])
    before, after = [], []
    for fold, answer in zip(young, answers, strict=True):
        reference = _losses(FoldForecast(fold, forecast_baseline(fold.series)))
        usual = float(reference.mean())
        if usual > 0.0:
            mixed = mixture.apply(answer.members)
            before.append(reference / usual)
            after.append(_losses(FoldForecast(fold, mixed)) / usual)
    if len(before) < _FEWEST_PRODUCTS:
        return None
    gain = compare(before, after)
    return Newcomers(len(before), gain.mean, gain.probability)


def _young(fold: Fold, days: int) -> Fold | None:
    young = fold.series.lately(days)
    if not (young.history["quantity"] > 0).any():
        return None
    return replace(fold, series=replace(young, product=_UNSEEN))


def _losses(forecast: FoldForecast) -> Floats:
    levels = [LEVELS[column] for column in _COLUMNS]
    losses: Floats = pinball(forecast.actual, forecast.quantiles[:, _COLUMNS], levels).mean(axis=1)
    return losses
