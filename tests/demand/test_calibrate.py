"""After calibration, quantiles cover about what they promise, in order and never below zero."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.training.demand.backtest import Fold, FoldForecast
from services.training.demand.calibrate import LEAD_BANDS, Calibration, calibrate
from services.training.demand.prediction import LEVELS, Prediction
from tests.demand.made_series import series_of

LOWER, UPPER = LEVELS.index(0.1), LEVELS.index(0.9)
NORMAL = np.array(
    [-2.326, -1.645, -1.282, -0.842, -0.524, -0.253, 0, 0.253, 0.524, 0.842, 1.282, 1.645, 2.326]
)


def forecast_of(actual: np.ndarray, mean: float, claimed: float) -> FoldForecast:
    """A flat forecast that claims a Gaussian error of standard deviation `claimed`."""
    days = len(actual)
    series = series_of([mean] * 30, horizon=days)
    fold = Fold(series, actual, np.full(days, True))
    quantiles = np.full((days, 1), mean) + claimed * NORMAL[None, :]
    return FoldForecast(fold, Prediction(np.full(days, mean), quantiles))


def covered(forecasts: list[FoldForecast], calibration: Calibration) -> float:
    inside = []
    for forecast in forecasts:
        quantiles = calibration.apply(forecast.prediction).quantiles
        actual = forecast.fold.actual
        inside.append((quantiles[:, LOWER] <= actual) & (actual <= quantiles[:, UPPER]))
    return float(np.mean(inside))


@pytest.mark.parametrize("claimed", [4.0, 10.0, 30.0])
def test_intervals_too_narrow_or_too_wide_are_mended_on_days_not_seen(claimed: float) -> None:
    random = np.random.default_rng(8)
    seen = [forecast_of(random.normal(100, 10, 28), 100, claimed) for _ in range(12)]
    fresh = [forecast_of(random.normal(100, 10, 28), 100, claimed) for _ in range(60)]
    before, after = covered(fresh, Calibration.none()), covered(fresh, calibrate(seen))
    assert 0.72 < after < 0.9
    assert abs(after - 0.8) <= abs(before - 0.8) + 0.03


def test_errors_that_grow_with_the_lead_get_wider_bands() -> None:
    random = np.random.default_rng(9)
    growing = np.repeat([5.0, 10.0, 20.0], [7, 7, 14])
    seen = [forecast_of(random.normal(100, growing), 100, 10.0) for _ in range(12)]
    offsets = np.array(calibrate(seen).offsets)
    assert (np.diff(offsets[:, UPPER]) > 0).all()
    assert (np.diff(offsets[:, LOWER]) < 0).all()


def test_a_drift_widens_both_sides_and_moves_neither() -> None:
    random = np.random.default_rng(10)
    seen = [forecast_of(random.normal(120, 10, 28), 100, 10.0) for _ in range(6)]
    offsets = np.array(calibrate(seen).offsets)
    assert (offsets[:, UPPER] > 0.5).all()
    assert (offsets[:, LOWER] < -0.5).all()
    assert offsets[:, UPPER] == pytest.approx(-offsets[:, LOWER], abs=0.4)


def test_too_few_days_move_nothing() -> None:
    assert calibrate([]) == Calibration.none()
    assert calibrate([forecast_of(np.full(13, 500.0), 100, 10.0)]) == Calibration.none()
    raw = forecast_of(np.full(13, 500.0), 100, 10.0).prediction
    np.testing.assert_array_equal(Calibration.none().apply(raw).quantiles, raw.quantiles)


def test_a_forecast_without_spread_gets_one() -> None:
    random = np.random.default_rng(11)
    seen = [forecast_of(random.normal(100, 10, 28), 100, 0.0) for _ in range(6)]
    assert covered(seen, Calibration.none()) == 0.0
    assert covered(seen, calibrate(seen)) > 0.6


@settings(deadline=None, max_examples=80)
@given(
    offsets=st.lists(
        st.lists(st.floats(-50, 50), min_size=len(LEVELS), max_size=len(LEVELS)),
        min_size=len(LEAD_BANDS),
        max_size=len(LEAD_BANDS),
    ),
    mean=st.floats(-100, 100),
    claimed=st.floats(0, 100),
    days=st.integers(1, 60),
)
def test_whatever_the_offsets_quantiles_are_monotone_and_never_negative(
    offsets: list[list[float]], mean: float, claimed: float, days: int
) -> None:
    raw = forecast_of(np.zeros(days), mean, claimed).prediction
    calibration = Calibration(tuple(tuple(row) for row in offsets))
    quantiles = calibration.apply(raw).quantiles
    assert quantiles.shape == (days, len(LEVELS))
    assert (np.diff(quantiles, axis=1) >= 0).all()
    assert (quantiles >= 0).all()


def test_unscored_days_teach_nothing() -> None:
    random = np.random.default_rng(12)
    seen = [forecast_of(random.normal(100, 10, 28), 100, 10.0) for _ in range(3)]
    spoiled = []
    for forecast in seen:
        actual, scored = forecast.fold.actual.copy(), forecast.fold.scored.copy()
        scored[:5] = False
        clean = Fold(forecast.fold.series, actual.copy(), scored)
        actual[:5] = 1e6
        dirty = Fold(forecast.fold.series, actual, scored)
        pair = [FoldForecast(fold, forecast.prediction) for fold in (clean, dirty)]
        spoiled.append(pair)
    clean_side, dirty_side = zip(*spoiled, strict=True)
    assert calibrate(clean_side) == calibrate(dirty_side)
