"""The baselines answer whatever is known, and say so honestly."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from services.training.demand.baseline import Baseline, NothingKnownError, forecast_baseline
from services.training.demand.prediction import LEVELS, forecast_frame
from tests.demand.made_series import bakery_series, series_of


def test_the_same_weekday_mean_is_that_of_the_last_four_known_ones() -> None:
    series = bakery_series(days=100, closed_weekday=2)
    forecast = forecast_baseline(series)
    for position, day in enumerate(series.plan.index):
        if day.day_of_week == 2:
            assert forecast.mean[position] == 0.0
            continue
        past = [
            float(row.quantity)
            for row in series.history.itertuples()
            if row.Index.day_of_week == day.day_of_week and not np.isnan(row.quantity)
        ]
        assert forecast.mean[position] == pytest.approx(sum(past[-4:]) / 4)


def test_the_seasonal_naive_repeats_the_last_known_week() -> None:
    quantities = [float(day) for day in range(21)]
    quantities[-1] = float("nan")
    forecast = forecast_baseline(series_of(quantities), Baseline.SEASONAL_NAIVE)
    assert forecast.mean[:7].tolist() == [14.0, 15.0, 16.0, 17.0, 18.0, 19.0, 13.0]
    assert forecast.mean[7:14].tolist() == forecast.mean[:7].tolist()


def test_one_known_day_is_enough() -> None:
    forecast = forecast_baseline(series_of([float("nan"), 5.0, float("nan")]))
    assert forecast.mean.tolist() == [5.0] * 28
    assert (forecast.quantiles == 5.0).all()


def test_nothing_known_is_an_error_that_names_the_series() -> None:
    with pytest.raises(NothingKnownError, match="'roll' at 'main'"):
        forecast_baseline(series_of([float("nan")] * 40))


def test_quantiles_cover_what_they_promise_on_steady_demand() -> None:
    inside = []
    for seed in range(30):
        series = bakery_series(days=228, seed=seed, closed_weekday=None)
        past, future = series.history.iloc[:200], series.history.iloc[200:]
        shorter = series_of(past["quantity"].tolist(), start="2022-01-03")
        quantiles = forecast_baseline(shorter).quantiles
        low, high = quantiles[:, LEVELS.index(0.1)], quantiles[:, LEVELS.index(0.9)]
        actual = future["quantity"].to_numpy()
        inside.append(np.mean((low <= actual) & (actual <= high)))
    assert 0.7 < np.mean(inside) < 0.9


def test_the_served_frame_is_monotone_never_negative_and_zero_when_closed() -> None:
    series = bakery_series(days=90, level=3.0, noise=4.0)
    frame = forecast_frame(forecast_baseline(series), series.plan)
    levels = frame[[str(level) for level in LEVELS]].to_numpy()
    assert (np.diff(levels, axis=1) >= 0).all()
    assert (levels >= 0).all()
    closed = ~frame["open"]
    assert closed.sum() == 4
    assert (frame.loc[closed].drop(columns="open") == 0.0).all(axis=None)


def test_reading_forecasts_loads_no_training_library() -> None:
    code = (
        "import sys\n"
        "from services.training.demand import baseline, config, outcome, quality, series\n"
        "heavy = {'prophet', 'optuna', 'cmdstanpy', 'matplotlib', 'lightgbm'} & set(sys.modules)\n"
        "sys.exit(1 if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
