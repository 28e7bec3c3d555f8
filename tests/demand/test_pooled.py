"""The pooled model: what it promises of its answers, whatever the sales."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from services.training.demand.pooled import (
    FittedPool,
    PoolConfig,
    PooledAnswer,
    PoolTooSmallError,
    fit_dated_pools,
    fit_pool,
    fold_before,
    pool_for,
)
from services.training.demand.pooled.pool import Memories
from services.training.demand.pooled.saved import UnknownPoolFormat, from_dict, to_dict
from services.training.demand.prediction import LEVELS
from services.training.demand.series import Series
from tests.demand.made_series import bakery_series, series_of

CONFIG = PoolConfig(horizon_days=14, rounds=20)
SEED = 5


def shop(products: int = 4, days: int = 220) -> list[Series]:
    regressors = {"promotion": (10.0, True), "temperature": (3.0, False)}
    made = (
        bakery_series(days, 14, seed, level=20.0 * (seed + 1), regressors=regressors)
        for seed in range(products)
    )
    return [replace(series, product=f"roll {number}") for number, series in enumerate(made)]


@pytest.fixture(scope="module")
def pool() -> FittedPool:
    return fit_pool(shop(), CONFIG, SEED)


def same(one: PooledAnswer, other: PooledAnswer) -> bool:
    return all(
        np.array_equal(a.mean, b.mean) and np.array_equal(a.quantiles, b.quantiles)
        for a, b in zip(one.members, other.members, strict=True)
    )


def cut(series: Series, days: int) -> Series:
    """The series as known `days` days before its end."""
    fold = fold_before(series, days, 14)
    assert fold is not None
    return fold.series


def perturbed_after(series: Series, days: int) -> Series:
    """Other sales, and other weather, on the last `days` days."""
    history = series.history.copy()
    late = history.index[-days:]
    history.loc[late, "quantity"] = history.loc[late, "quantity"] * 3.0 + 100.0
    history.loc[late, "temperature"] = 40.0
    return replace(series, history=history)


def test_a_level_is_never_below_a_lower_one_and_never_negative(pool: FittedPool) -> None:
    for series in shop():
        answer = pool.predict(series)
        for prediction in (*answer.members, answer.quantile):
            assert prediction.quantiles.shape == (14, len(LEVELS))
            assert (np.diff(prediction.quantiles, axis=1) >= 0).all()
            assert (prediction.quantiles >= 0).all()
            assert (prediction.mean >= 0).all()


def test_it_tells_the_weekdays_apart_and_keeps_to_each_series_level(pool: FittedPool) -> None:
    for series in shop():
        median = pool.predict(series).quantile.mean
        weekday = series.plan.index.day_of_week
        assert median[weekday == 5].mean() > median[weekday == 0].mean()
        usual = series.history["quantity"].mean()
        assert 0.6 * usual < median[series.plan["open"]].mean() < 1.6 * usual


def test_the_same_series_and_seed_give_the_same_answers(pool: FittedPool) -> None:
    again = fit_pool(shop(), CONFIG, SEED)
    assert all(same(pool.predict(one), again.predict(one)) for one in shop())
    other = fit_pool(shop(), CONFIG, SEED + 1)
    assert not same(pool.predict(shop()[0]), other.predict(shop()[0]))


def test_a_pool_survives_json(pool: FittedPool) -> None:
    restored = from_dict(json.loads(json.dumps(to_dict(pool))))
    assert all(same(pool.predict(one), restored.predict(one)) for one in shop())


def test_a_pool_of_another_format_is_refused(pool: FittedPool) -> None:
    saved = to_dict(pool)
    saved["format"] = 0
    with pytest.raises(UnknownPoolFormat, match="0 is not 2"):
        from_dict(saved)


def test_what_came_after_a_cutoff_changes_no_bit_of_a_pool_or_its_forecast() -> None:
    before = shop()
    after = [perturbed_after(series, 28) for series in before]
    cutoff = before[0].data_through - pd.Timedelta(days=28)
    (one,) = fit_dated_pools(before, [cutoff], CONFIG, SEED)
    (other,) = fit_dated_pools(after, [cutoff], CONFIG, SEED)
    for calm, stirred in zip(before, after, strict=True):
        assert same(one.pool.predict(cut(calm, 28)), other.pool.predict(cut(stirred, 28)))
    assert not same(one.pool.predict(cut(before[0], 14)), one.pool.predict(cut(after[0], 14)))


def test_what_an_earlier_pool_expected_is_not_asked_again_and_answers_the_same() -> None:
    series = shop()
    past: Memories = {}
    before = [series[0].data_through - pd.Timedelta(days=28)]
    fit_dated_pools(series, before, CONFIG, SEED, past)
    known = {key: set(memory) for key, memory in past.items()}
    assert [len(days) > 5 for days in known.values()] == [True] * len(series)
    later = fit_pool(series, CONFIG, SEED, past)
    assert all(known[key] < set(memory) for key, memory in past.items())
    alone = fit_pool(series, CONFIG, SEED)
    for one in series:
        found, usual = later.predict(one).quantile.median, alone.predict(one).quantile.median
        assert found == pytest.approx(usual, rel=0.1)


def test_a_fold_is_given_the_latest_pool_that_knows_nothing_of_it() -> None:
    series = shop()
    end = series[0].data_through
    back = [end - pd.Timedelta(days=days) for days in (28, 56)]
    pools = fit_dated_pools(series, back, CONFIG, SEED)
    assert [dated.cutoff for dated in pools] == sorted(back)
    assert pool_for(pools, end) is pools[1].pool
    assert pool_for(pools, back[1] + pd.Timedelta(days=1)) is pools[0].pool
    assert pool_for(pools, back[1] - pd.Timedelta(days=1)) is None


def test_a_product_that_the_pool_never_saw_is_forecast_at_its_own_level(pool: FittedPool) -> None:
    new = replace(bakery_series(40, 14, 9, level=500.0), product="new", location="elsewhere")
    median = pool.predict(new).quantile.mean[new.plan["open"]]
    assert 250.0 < median.mean() < 1000.0


@pytest.mark.parametrize("quantity", [0.0, 7.0])
def test_a_series_without_any_variation_is_forecast(pool: FittedPool, quantity: float) -> None:
    flat = series_of([quantity] * 60, horizon=14)
    assert np.isfinite(pool.predict(flat).quantile.quantiles).all()


def test_too_few_days_are_refused_with_their_number() -> None:
    with pytest.raises(PoolTooSmallError, match="a pool needs 200") as refused:
        fit_pool([bakery_series(60, 14)], CONFIG, SEED)
    assert refused.value.rows < 60
    again = pickle.loads(pickle.dumps(refused.value))
    assert (again.rows, str(again)) == (refused.value.rows, str(refused.value))


def test_a_cutoff_before_there_was_enough_to_learn_from_has_no_pool() -> None:
    series = shop()
    early = series[0].history.index[35]
    assert fit_dated_pools(series, [early], CONFIG, SEED) == []
