"""A job's pools: what a fold is told, and what nobody may know before its day."""

from __future__ import annotations

from dataclasses import asdict, replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from services.training.demand.backtest import Fold, plan_folds
from services.training.demand.config import Progress
from services.training.demand.packing import packed, unpacked
from services.training.demand.pooled.newcomers import judge_newcomers
from services.training.demand.pooled.pool import PooledAnswer
from services.training.demand.pooled.pools import (
    Pools,
    PoolTooSmallError,
    UnknownPoolFormat,
    fit_pools,
)
from services.training.demand.pooled.rehearsal import Mixtures
from services.training.demand.series import Series
from tests.demand.made_shop import QUICK, perturbed_after, shop

DAY = pd.Timedelta(days=1)


@pytest.fixture(scope="module")
def pools() -> Pools:
    return fit_pools(shop(), QUICK)


def contest_of(series: Series) -> tuple[Fold, ...]:
    folds = QUICK.search_folds, QUICK.contest_folds
    return plan_folds(series, QUICK.horizon_days, *folds).contest


def same(one: PooledAnswer, other: PooledAnswer) -> bool:
    return all(
        np.array_equal(a.mean, b.mean) and np.array_equal(a.quantiles, b.quantiles)
        for a, b in zip(one.members, other.members, strict=True)
    )


def test_every_contest_fold_has_a_pool_that_knows_nothing_of_it(pools: Pools) -> None:
    first, second = pools.hindsight.dated
    early, *_, last = contest_of(shop()[0])
    assert first.cutoff == early.cutoff - 14 * DAY
    assert early.cutoff < second.cutoff < last.cutoff
    assert pools.hindsight.learnt_through == early.cutoff
    assert pools.before(early.cutoff) is first.pool
    assert pools.before(second.cutoff - DAY) is first.pool
    assert pools.before(second.cutoff) is second.pool
    assert pools.before(early.cutoff - DAY) is None
    folds = [fold.series for one in shop() for fold in contest_of(one)]
    assert set(pools.answers(folds)) == {fold.data_through for fold in folds}


def test_what_came_after_a_cutoff_changes_no_bit_of_what_a_pool_answers_there(
    pools: Pools,
) -> None:
    cutoff = pools.hindsight.dated[1].cutoff
    stirred = perturbed_after(shop(), cutoff)
    told = fit_pools(stirred, QUICK)
    assert told.hindsight.mixtures == pools.hindsight.mixtures
    for before, after in zip(shop(), stirred, strict=True):
        calm, shaken = (
            found.answers([fold.series for fold in contest_of(one) if fold.cutoff <= cutoff])
            for found, one in ((pools, before), (told, after))
        )
        assert len(calm) == 3
        assert calm.keys() == shaken.keys()
        assert all(same(calm[day], shaken[day]) for day in calm)
    assert not same(told.latest.predict(shop()[0]), pools.latest.predict(shop()[0]))


def test_the_mixture_learns_from_the_days_before_the_contest_alone(pools: Pools) -> None:
    assert pools.hindsight.learnt_through is not None
    during = perturbed_after(shop(), pools.hindsight.learnt_through - 7 * DAY)
    assert fit_pools(during, QUICK).hindsight.mixtures != pools.hindsight.mixtures
    assert (
        pools.hindsight.mixtures.beside_prophet.weights
        != Mixtures.unrehearsed().beside_prophet.weights
    )
    assert sum(pools.hindsight.mixtures.beside_prophet.weights) == pytest.approx(1.0)


def test_the_mixture_to_be_served_learns_from_the_contest_too(pools: Pools) -> None:
    learnt = pools.hindsight
    late = perturbed_after(shop(), learnt.dated[1].cutoff + 7 * DAY)
    found = fit_pools(late, QUICK).hindsight
    assert found.mixtures == learnt.mixtures != learnt.served
    assert found.served != learnt.served
    assert sum(found.served.beside_prophet.weights) == pytest.approx(1.0)


def test_what_is_expected_of_a_product_is_what_was_saved_before_the_contest(pools: Pools) -> None:
    assert pools.hindsight.expected is not None
    assert 0.0 < pools.hindsight.expected.mean < 1.0
    assert pools.hindsight.learnt_through is not None
    after = perturbed_after(shop(), pools.hindsight.learnt_through)
    assert fit_pools(after, QUICK).hindsight.expected == pools.hindsight.expected


def test_too_few_products_expect_nothing() -> None:
    assert fit_pools(shop(products=4), QUICK).hindsight.expected is None


def test_a_series_that_ended_before_the_others_is_told_nothing_it_could_not_know(
    pools: Pools,
) -> None:
    """Its contest lies before the days that the mixture learnt from, of other series."""
    ended = shop(days=150)[0]
    folds = contest_of(ended)
    assert {fold.cutoff for fold in folds} != set(pools.answers([f.series for f in folds]))
    assert all(
        cutoff >= (pools.hindsight.learnt_through or cutoff)
        for cutoff in pools.answers([fold.series for fold in folds])
    )


def test_pools_survive_bytes_and_the_same_series_in_any_order_give_the_same(pools: Pools) -> None:
    data = pools.to_bytes()
    assert data == fit_pools(shop()[::-1], QUICK).to_bytes()
    restored = Pools.from_bytes(data)
    assert restored.to_bytes() == data
    for one in shop():
        assert same(restored.latest.predict(one), pools.latest.predict(one))
    assert restored.hindsight.newcomers == pools.hindsight.newcomers
    with pytest.raises(UnknownPoolFormat, match="format 7"):
        Pools.from_bytes(packed(unpacked(data) | {"format": 7}))


def test_asking_for_many_plans_at_once_answers_each_as_if_alone(pools: Pools) -> None:
    together = pools.latest.answers(shop())
    for one, answer in zip(shop(), together, strict=True):
        assert same(answer, pools.latest.predict(one))


def test_too_short_a_past_leaves_the_latest_pool_alone_with_equal_weights() -> None:
    young = fit_pools(shop(products=12, days=60), QUICK)
    assert young.hindsight.dated == ()
    assert asdict(young.hindsight.mixtures)["alone"]["weights"] == pytest.approx((1 / 3,) * 3)
    assert (young.hindsight.learnt_through, young.hindsight.newcomers) == (None, None)
    assert Pools.from_bytes(young.to_bytes()).to_bytes() == young.to_bytes()


def test_too_few_days_of_all_together_are_refused() -> None:
    with pytest.raises(PoolTooSmallError, match="a pool needs 200"):
        fit_pools(shop(products=1, days=60), QUICK)


def test_new_products_are_judged_on_others_cut_as_short(pools: Pools) -> None:
    """One to three weeks of a product tell its level; the weekdays are those of the others."""
    assert pools.hindsight.newcomers is not None
    assert pools.hindsight.newcomers.products == 5
    assert pools.hindsight.newcomers.skill > 0.0
    assert 0.5 < pools.hindsight.newcomers.confidence <= 1.0


def test_a_new_product_is_judged_without_its_name(pools: Pools) -> None:
    folds = [contest_of(one)[-1] for one in shop()]
    renamed = [replace(one, series=replace(one.series, product="other")) for one in folds]
    found, other = (
        judge_newcomers(pools.hindsight.dated[-1].pool, pools.hindsight.mixtures.alone, each)
        for each in (folds, renamed)
    )
    assert found is not None
    assert found == other


def test_no_series_keeps_the_others_from_their_pools(pools: Pools) -> None:
    """Nothing known, nowhere known, returns, a first sale after the dated pools."""
    one = shop()[0]
    nothing = one.history.assign(quantity=np.nan)
    begun = one.history["quantity"].where(one.history.index > pools.hindsight.dated[1].cutoff)
    hard = [
        replace(one, product="unknown", history=nothing),
        replace(one, product="older", history=_longer(nothing), foreseen={}),
        replace(one, product="closed", history=nothing.assign(open=False)),
        replace(one, product="nowhere", country="XX"),
        replace(one, product="returned", history=one.history.assign(quantity=-3.0)),
        replace(one, product="begun", history=one.history.assign(quantity=begun)),
    ]
    found = fit_pools([*shop(), *hard], QUICK)
    known, usual = found.hindsight, pools.hindsight
    assert [dated.cutoff for dated in known.dated] == [dated.cutoff for dated in usual.dated]
    assert known.learnt_through == usual.learnt_through
    for series in (*shop(), hard[-1]):
        assert np.isfinite(found.latest.predict(series).quantile.quantiles).all()


def _longer(history: pd.DataFrame) -> pd.DataFrame:
    before = history.set_axis(history.index - len(history) * DAY)
    return pd.concat([before, history])


def test_progress_never_falls() -> None:
    seen: list[Progress] = []
    fit_pools(shop(products=12, days=60), QUICK, seen.append)
    fractions = [progress.fraction for progress in seen]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)


def test_progress_takes_no_long_steps() -> None:
    seen: list[Progress] = []
    fit_pools(shop(), QUICK, seen.append)
    assert max(after.fraction - before.fraction for before, after in pairwise(seen)) < 0.15
