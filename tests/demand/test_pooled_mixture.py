"""Mixing members: by votes and by losses, and a band as wide as earlier folds demand."""

from __future__ import annotations

from dataclasses import asdict
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.training.demand.pooled import Rehearsed, combine, learn_mixture, shrunk_weights
from services.training.demand.pooled.config import BOOSTED_LEVELS
from services.training.demand.pooled.levels import spread_over_levels
from services.training.demand.pooled.spread import Seen, learn_spread
from services.training.demand.prediction import LEVELS, Prediction

Z = np.array([NormalDist().inv_cdf(level) for level in LEVELS])


def gaussian(mean: float, deviation: float, days: int) -> Prediction:
    row = mean + deviation * Z
    return Prediction(np.full(days, mean), np.tile(row, (days, 1)))


def seen(prediction: Prediction, actual: np.ndarray) -> Seen:
    return Seen(prediction, actual, np.full(len(actual), True))


def test_the_mean_of_members_is_taken_level_by_level() -> None:
    mixed = combine([gaussian(10.0, 1.0, 3), gaussian(20.0, 3.0, 3)])
    assert np.allclose(mixed.quantiles, gaussian(15.0, 2.0, 3).quantiles)
    assert np.allclose(mixed.mean, 15.0)
    heavier = combine([gaussian(10.0, 1.0, 3), gaussian(20.0, 1.0, 3)], [3.0, 1.0])
    assert np.allclose(heavier.mean, 12.5)


@given(
    st.lists(st.floats(0.01, 100.0), min_size=1, max_size=5),
    st.integers(min_value=0, max_value=5000),
)
def test_weights_sum_to_one_and_favour_the_smaller_loss(losses: list[float], days: int) -> None:
    weights = shrunk_weights(losses, days, [1.0] * len(losses))
    assert weights.sum() == pytest.approx(1.0)
    order = np.argsort(losses, kind="stable")
    assert (np.diff(weights[order]) <= 1e-12).all()


def test_few_days_leave_the_weights_near_the_votes() -> None:
    few, many = (shrunk_weights([1.0, 2.0], days, [1.0, 1.0]) for days in (7, 5000))
    assert 0.5 < few[0] < 0.6
    assert many[0] > 0.95
    assert shrunk_weights([1.0, 2.0], 0, [1.0, 1.0]).tolist() == [0.5, 0.5]
    assert shrunk_weights([0.0, 2.0], 100, [1.0, 3.0]).tolist() == [0.25, 0.75]


@given(st.floats(0.01, 100.0), st.floats(0.05, 20.0), st.integers(min_value=0, max_value=5000))
def test_members_that_lost_the_same_keep_the_shares_of_their_votes(
    loss: float, vote: float, days: int
) -> None:
    weights = shrunk_weights([loss, loss], days, [1.0, vote])
    assert weights[1] / weights[0] == pytest.approx(vote)


def test_a_band_that_is_half_as_wide_as_the_errors_is_about_doubled() -> None:
    actual = np.random.default_rng(3).normal(50.0, 6.0, 4000)
    narrow = gaussian(50.0, 4.0, len(actual))
    spread = learn_spread([seen(narrow, actual)])
    assert spread.factor == pytest.approx(1.5, abs=0.06)
    wide = spread.apply(narrow).quantiles
    inside = (wide[:, LEVELS.index(0.1)] <= actual) & (actual <= wide[:, LEVELS.index(0.9)])
    assert inside.mean() == pytest.approx(0.8, abs=0.02)


def test_the_median_stays_where_it_is_and_nothing_falls_below_zero() -> None:
    actual = np.concatenate([np.zeros(500), np.full(500, 30.0)])
    prediction = gaussian(5.0, 4.0, 1000)
    moved = learn_spread([seen(prediction, actual)]).apply(prediction).quantiles
    assert np.allclose(moved[:, LEVELS.index(0.5)], 5.0)
    assert (moved >= 0).all()
    assert (np.diff(moved, axis=1) >= 0).all()


def test_without_folds_the_mixture_is_the_mean_by_votes() -> None:
    mixture = learn_mixture([], votes=(1.0, 3.0))
    members = [gaussian(10.0, 1.0, 3), gaussian(20.0, 3.0, 3)]
    assert np.allclose(mixture.apply(members).quantiles, combine(members, [1.0, 3.0]).quantiles)
    assert asdict(mixture) == {"weights": (0.25, 0.75), "spread": {"factor": 1.0}}


def test_a_member_that_fails_on_a_tenant_all_but_loses_its_voice() -> None:
    random = np.random.default_rng(4)
    folds = [
        Rehearsed(
            (gaussian(50.0, 5.0, 14), gaussian(90.0, 5.0, 14)),
            random.normal(50.0, 5.0, 14),
            np.full(14, True),
        )
        for _ in range(100)
    ]
    weights = learn_mixture(folds, votes=(1.0, 1.0)).weights
    assert weights[1] < 0.1


@given(st.floats(0.0, 1e6), st.floats(0.0, 1e5))
def test_levels_without_a_model_lie_on_the_gaussian_through_those_with_one(
    mean: float, deviation: float
) -> None:
    boosted = mean + deviation * np.array([NormalDist().inv_cdf(level) for level in BOOSTED_LEVELS])
    found = spread_over_levels(np.maximum(boosted, 0.0)[None, :])[0]
    assert (found >= 0).all()
    assert (np.diff(found) >= -1e-9).all()
    if boosted[0] > 0:
        expected = np.maximum(mean + deviation * Z, 0.0)
        assert np.allclose(found, expected, rtol=1e-6, atol=1e-6 * (1.0 + deviation))
