"""Metrics agree with their formulas written out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.training.demand.metrics import (
    bias,
    coverage,
    mase,
    naive_scale,
    pinball,
    wape,
    wql,
)

LEVELS = (0.1, 0.5, 0.9)
sales = st.lists(st.just(0.0) | st.floats(1e-3, 1e6), min_size=1, max_size=30)


@st.composite
def days(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    actual = draw(sales)
    forecast = draw(st.lists(st.floats(0, 1e6), min_size=len(actual), max_size=len(actual)))
    return np.array(actual), np.array(forecast)


@settings(deadline=None)
@given(days())
def test_ratios_agree_with_plain_loops(case: tuple[np.ndarray, np.ndarray]) -> None:
    actual, forecast = case
    total = sum(actual)
    if total == 0:
        assert math.isnan(wape(actual, forecast))
        assert math.isnan(bias(actual, forecast))
        return
    errors = [abs(y - f) for y, f in zip(actual, forecast, strict=True)]
    signed = [f - y for y, f in zip(actual, forecast, strict=True)]
    assert wape(actual, forecast) == pytest.approx(sum(errors) / total)
    assert bias(actual, forecast) == pytest.approx(sum(signed) / total, abs=1e-9)


@settings(deadline=None)
@given(days(), st.floats(0.01, 0.99))
def test_pinball_agrees_with_its_definition(
    case: tuple[np.ndarray, np.ndarray], level: float
) -> None:
    actual, forecast = case
    expected = [
        level * (y - q) if y >= q else (1 - level) * (q - y)
        for y, q in zip(actual, forecast, strict=True)
    ]
    found = pinball(actual, forecast[:, None], [level])[:, 0]
    assert found == pytest.approx(expected, abs=1e-6)
    assert (found >= 0).all()


def test_wql_of_a_point_forecast_at_the_median_is_its_wape() -> None:
    actual, forecast = np.array([10.0, 0.0, 4.0]), np.array([8.0, 1.0, 7.0])
    assert wql(actual, forecast[:, None], [0.5]) == pytest.approx(wape(actual, forecast))


def test_wql_by_hand() -> None:
    actual = np.array([10.0, 20.0])
    quantiles = np.array([[8.0, 10.0, 12.0], [15.0, 18.0, 19.0]])
    losses = [(0.1 * 2 + 0.0 + 0.1 * 2) / 3, (0.1 * 5 + 0.5 * 2 + 0.9 * 1) / 3]
    assert wql(actual, quantiles, LEVELS) == pytest.approx(2 * sum(losses) / 30)


def test_the_true_quantile_has_the_least_pinball_loss() -> None:
    actual = np.random.default_rng(5).gamma(2.0, 10.0, 4000)
    best = np.quantile(actual, 0.8)
    grid = np.linspace(0, 100, 201)
    losses = [pinball(actual, np.full((4000, 1), q), [0.8]).mean() for q in grid]
    assert abs(grid[int(np.argmin(losses))] - best) <= 0.5


def test_coverage_counts_both_ends() -> None:
    actual = np.array([1.0, 2.0, 3.0, 4.0])
    assert coverage(actual, np.full(4, 2.0), np.full(4, 3.0)) == 0.5
    assert math.isnan(coverage(actual[:0], actual[:0], actual[:0]))


def test_mase_is_one_for_an_error_as_large_as_the_naive_one() -> None:
    history = np.array([float(week) for week in range(4) for _ in range(7)])
    scale = naive_scale(history)
    assert scale == 1.0
    assert mase(np.array([5.0, 7.0]), np.array([6.0, 6.0]), scale) == 1.0


def test_the_naive_scale_leaves_unknown_days_out() -> None:
    history = np.arange(15.0)
    history[3] = np.nan
    expected = [abs(history[i] - history[i - 7]) for i in range(7, 15) if i not in (3, 10)]
    assert naive_scale(history) == pytest.approx(np.mean(expected))
    assert math.isnan(naive_scale(history[:7]))
    assert math.isnan(mase(history[:1], history[:1], 0.0))
