"""Which rows the pool learns from: every day at most once, every lead as often."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from services.training.demand.pooled.config import PoolConfig
from services.training.demand.pooled.rows import Pairs, training_pairs
from services.training.demand.pooled.track import Track, track_of
from tests.demand.made_series import bakery_series


def tracks(days: int, products: int = 3) -> list[Track]:
    return [track_of(bakery_series(days, 14, seed)) for seed in range(products)]


def leads(pairs: list[Pairs]) -> np.ndarray:
    return np.concatenate([pair.targets - pair.origins for pair in pairs])


@pytest.mark.parametrize("horizon", [1, 7, 14, 28, 90])
def test_each_known_day_is_met_once_from_an_origin_within_the_horizon(horizon: int) -> None:
    found = tracks(400)
    pairs = training_pairs(found, PoolConfig(horizon_days=horizon), seed=1)
    for track, pair in zip(found, pairs, strict=True):
        known = np.flatnonzero(~np.isnan(track.demand))
        # The first days have no origin of the grid behind them that has warmed up.
        late = known[known > 28 + horizon]
        assert np.isin(late, pair.targets).all()
        assert len(np.unique(pair.targets)) == len(pair.targets)
        assert np.isin(pair.targets, known).all()
        assert ((track.origin - pair.origins) % min(14, horizon) == 0).all()
        assert (pair.origins >= 28).all()
    assert leads(pairs).min() >= 1
    assert leads(pairs).max() <= horizon


def test_every_lead_is_met_about_as_often() -> None:
    pairs = training_pairs(tracks(1000, 8), PoolConfig(horizon_days=28), seed=1)
    counts = np.bincount(leads(pairs), minlength=29)
    # A lead always falls on the same weekday, the first on one that is closed.
    counts = counts[np.arange(29) % 7 != 1][1:]
    assert counts.min() > 0.6 * counts.mean()
    assert counts.max() < 1.4 * counts.mean()


def test_many_days_are_thinned_by_whole_origins() -> None:
    found = tracks(1000, 4)
    whole = training_pairs(found, PoolConfig(horizon_days=14), seed=1)
    thin = training_pairs(found, PoolConfig(horizon_days=14, most_rows=1000), seed=1)
    assert 700 < len(leads(thin)) < 1300
    for every, some in zip(whole, thin, strict=True):
        kept = np.isin(every.origins, some.origins)
        assert np.array_equal(every.targets[kept], some.targets)
        assert len(np.unique(some.origins)) < len(np.unique(every.origins))


def test_a_smaller_sample_of_an_earlier_day_is_part_of_a_larger_one() -> None:
    """What a dated pool has made of an origin, above all its outlook, then serves later ones."""
    whole = bakery_series(1000, 14, 1)
    earlier = replace(whole, history=whole.history.iloc[:-56], plan=whole.plan.iloc[:0])
    late, early = (
        training_pairs([track_of(one)], PoolConfig(horizon_days=14, most_rows=most), seed=1)[0]
        for one, most in ((whole, 500), (earlier, 250))
    )
    assert set(early.origins) < set(late.origins)
