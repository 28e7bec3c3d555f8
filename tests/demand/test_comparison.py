"""A gain counts for what its weeks say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from services.training.demand.comparison import Gain, compare, informed


def test_the_gain_is_the_loss_saved_a_day() -> None:
    before = [np.array([3.0, 5.0, 4.0]), np.array([2.0] * 9)]
    after = [np.array([1.0, 5.0, 3.0]), np.array([1.0] * 9)]
    assert compare(before, after).mean == pytest.approx(sum([2, 0, 1] + [1] * 9) / 12)


def test_the_standard_error_is_that_of_weeks() -> None:
    weekly = [1.0, 3.0, -1.0, 2.0]
    before = [np.repeat(weekly, 7)]
    gain = compare(before, [np.zeros(28)])
    assert gain.standard_error == pytest.approx(np.std(weekly, ddof=1) / math.sqrt(4))


def test_one_week_proves_nothing() -> None:
    gain = compare([np.full(7, 5.0)], [np.zeros(7)])
    assert math.isinf(gain.standard_error)
    assert gain.probability == pytest.approx(0.5)


def test_no_days_no_gain() -> None:
    assert compare([], []) == Gain(0.0, math.inf)
    assert compare([np.zeros(0)], [np.zeros(0)]).mean == 0.0


def test_the_probability_of_a_real_gain() -> None:
    assert Gain(0.0, 1.0).probability == 0.5
    assert Gain(1.645, 1.0).probability == pytest.approx(0.95, abs=1e-3)
    assert Gain(2.0, 0.0).probability == 1.0
    assert Gain(-2.0, 0.0).probability == 0.0


def test_belief_is_the_mean_of_the_posterior() -> None:
    """By brute force: the product of the two densities on a grid."""
    own, expected = Gain(-0.5, 0.4), Gain(0.3, 0.2)
    grid = np.linspace(-4.0, 4.0, 80_001)
    density = np.exp(
        -0.5 * ((grid - own.mean) / own.standard_error) ** 2
        - 0.5 * ((grid - expected.mean) / expected.standard_error) ** 2
    )
    density /= density.sum()
    mean = float(density @ grid)
    found = informed(own, expected)
    assert found.mean == pytest.approx(mean, abs=1e-6)
    assert found.standard_error == pytest.approx(math.sqrt(density @ (grid - mean) ** 2), abs=1e-6)


def test_what_is_sure_needs_no_expectation_and_what_is_unknown_has_nothing_else() -> None:
    expected = Gain(0.3, 0.2)
    sure, unknown = Gain(-0.1, 0.0), Gain(-0.1, math.inf)
    assert informed(sure, expected) == sure
    assert informed(unknown, expected) == expected
    assert informed(sure, unknown) == sure
