"""A model is degraded when it is credibly worse than it promised, and not by luck."""

from functools import cache

import numpy as np
import pytest

from services.training.demand.metrics import wql
from services.training.demand.prediction import LEVELS, SCORED_LEVELS, Floats
from services.training.retraining.accuracy import FEWEST_DAYS, Accuracy, Promised, judge

SCORED = [LEVELS.index(level) for level in SCORED_LEVELS]
MEAN, SPREAD = 50.0, 8.0


def forecast_of(days: int) -> Floats:
    return np.tile(quantiles(), (days, 1))


@cache
def quantiles() -> Floats:
    """Of what `sold` draws from, found by drawing."""
    return np.quantile(np.random.default_rng(1).normal(MEAN, SPREAD, 200_000), LEVELS)


def sold(days: int, seed: int, shift: float = 0.0, spread: float = SPREAD) -> Floats:
    drawn = np.random.default_rng(seed).normal(MEAN + shift, spread, days)
    return np.maximum(drawn, 0.0)


@cache
def promised(baseline: float = 1.0) -> Promised:
    """What such a forecast is worth over ten thousand days."""
    actual = sold(10_000, 2)
    own = wql(actual, forecast_of(10_000)[:, SCORED], SCORED_LEVELS)
    return Promised(own, own * (1 + baseline), 0.8)


def judged(actual: Floats, promise: Promised | None = None) -> Accuracy:
    found = judge(actual, forecast_of(len(actual)), promise or promised())
    assert found is not None
    return found


def test_the_score_is_that_of_the_contest() -> None:
    actual = sold(28, 3)
    found = judged(actual)
    assert found.wql == pytest.approx(wql(actual, forecast_of(28)[:, SCORED], SCORED_LEVELS))
    inside = (forecast_of(28)[:, LEVELS.index(0.1)] <= actual) & (
        actual <= forecast_of(28)[:, LEVELS.index(0.9)]
    )
    assert found.coverage80 == pytest.approx(inside.mean())


def test_few_days_are_not_judged() -> None:
    actual = sold(FEWEST_DAYS - 1, 3, shift=500)
    assert judge(actual, forecast_of(len(actual)), promised()) is None


def test_a_model_that_keeps_its_promise_is_hardly_ever_called_degraded() -> None:
    alarms = sum(judged(sold(28, seed)).degraded for seed in range(1000))
    assert alarms <= 5


@pytest.mark.parametrize(
    ("shift", "spread"), [(20.0, SPREAD), (-20.0, SPREAD), (0.0, 3 * SPREAD), (-MEAN, 0.1)]
)
def test_a_level_that_moved_and_a_scatter_that_grew_are_seen(shift: float, spread: float) -> None:
    seen = sum(judged(sold(28, seed, shift, spread)).degraded for seed in range(200))
    assert seen >= 180


def test_a_product_that_sells_no_more_is_seen() -> None:
    found = judged(np.zeros(21))
    assert found.wql is None
    assert found.degraded


def test_one_dreadful_day_is_luck() -> None:
    actual = sold(28, 4)
    actual[10] = 900.0
    assert not judged(actual).worse


def test_days_that_hang_together_count_for_fewer() -> None:
    """The same losses in a lump say less than strewn about."""
    strewn = np.tile([MEAN + 20, MEAN + 10], 14)
    lump = np.repeat([MEAN + 20, MEAN + 10], 14)
    assert judged(strewn).wql == pytest.approx(judged(lump).wql)
    assert judged(strewn).worse
    assert not judged(lump).worse


def test_being_no_better_than_the_baseline_was_is_enough() -> None:
    actual = sold(28, 5, shift=0.0, spread=1.25 * SPREAD)
    strict, lenient = promised(baseline=0.0), promised(baseline=1.0)
    assert strict.wql is not None
    assert judged(actual, strict).bar == pytest.approx(strict.wql)
    assert judged(actual, lenient).bar == pytest.approx(1.1 * strict.wql)


def test_what_was_promised_by_nobody_is_not_held_against_the_model() -> None:
    found = judged(sold(28, 6, shift=200.0), Promised(None, None, None))
    assert found.bar is None
    assert not found.worse
    assert found.missed
