"""Whether a model's published forecasts are credibly worse than it promised.

It promised the scores of its contest. A few bad days are luck, so it takes enough of them, and a
difference that their scatter does not explain.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from services.training.demand.metrics import coverage, pinball
from services.training.demand.prediction import LEVELS, SCORED_LEVELS, Floats

FEWEST_DAYS: Final = 14
MARGIN: Final = 0.1
"""A model may lose a tenth on its own score before that is worth a training."""
STANDARD_ERRORS: Final = 3.0
COVERAGE_SLACK: Final = 0.1
"""So much of the days may leave the 80 % interval beyond what the model's own record had."""
UNLIKELY: Final = 0.001
_MOST_CORRELATED: Final = 0.9
_SCORED: Final = [LEVELS.index(level) for level in SCORED_LEVELS]
_LOWER, _UPPER = LEVELS.index(0.1), LEVELS.index(0.9)


@dataclass(frozen=True, slots=True)
class Promised:
    """The scores of the contest that the model won; None where undefined."""

    wql: float | None
    baseline_wql: float | None
    coverage80: float | None


@dataclass(frozen=True, slots=True)
class Accuracy:
    """What the forecasts were worth over so many `days` whose actuals came; `bar` is the WQL that
    they must not credibly exceed. `wql` is None without any demand."""

    days: int
    wql: float | None
    bar: float | None
    coverage80: float
    worse: bool
    missed: bool

    @property
    def degraded(self) -> bool:
        return self.worse or self.missed


def judge(actual: Floats, quantiles: Floats, promised: Promised) -> Accuracy | None:
    """Of the days in order, with the quantiles at `LEVELS`; None of fewer than `FEWEST_DAYS`."""
    if len(actual) < FEWEST_DAYS:
        return None
    losses = 2 * pinball(actual, quantiles[:, _SCORED], SCORED_LEVELS).mean(axis=1)
    demand = np.abs(actual)
    bar = _bar(promised)
    within = coverage(actual, quantiles[:, _LOWER], quantiles[:, _UPPER])
    return Accuracy(
        days=len(actual),
        wql=float(losses.sum() / demand.sum()) if demand.sum() > 0 else None,
        bar=bar,
        coverage80=within,
        worse=bar is not None and _is_credibly_positive(losses - bar * demand),
        missed=_misses_too_often(len(actual), within, promised.coverage80),
    )


def _bar(promised: Promised) -> float | None:
    """A little worse than its own record, or no better than the baseline's: whichever is less."""
    if promised.wql is None:
        return None
    own = promised.wql * (1 + MARGIN)
    if promised.baseline_wql is None:
        return own
    return min(own, max(promised.wql, promised.baseline_wql))


def _is_credibly_positive(excess: Floats) -> bool:
    """Whether the mean is above zero by so many standard errors, days being correlated as an AR(1)
    process is (Priestley 1981, 5.3.5: n (1 - r) / (1 + r) independent ones)."""
    mean, spread = float(excess.mean()), float(excess.std(ddof=1))
    independent = len(excess) * (1 - (r := _correlation(excess))) / (1 + r)
    return mean > STANDARD_ERRORS * spread / math.sqrt(independent)


def _correlation(values: Floats) -> float:
    """Of each day with the next, between 0 and 0.9."""
    centred = values - values.mean()
    square = float(centred @ centred)
    if square == 0:
        return 0.0
    return min(_MOST_CORRELATED, max(0.0, float(centred[1:] @ centred[:-1]) / square))


def _misses_too_often(days: int, within: float, promised: float | None) -> bool:
    """Whether as few days within the interval are unlikely (the binomial's lower tail)."""
    share = min(0.8, 0.8 if promised is None else promised) - COVERAGE_SLACK
    if share <= 0:
        return False
    hits = round(within * days)
    tail = sum(math.comb(days, k) * share**k * (1 - share) ** (days - k) for k in range(hits + 1))
    return tail < UNLIKELY
