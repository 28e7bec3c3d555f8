"""Running means beside those of pandas, on days that are known and days that are not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from services.training.demand.pooled.rolling import centred_mean, rolling_mean, same_weekday_mean

DEMANDS = arrays(
    np.float64,
    st.integers(1, 200),
    elements=st.one_of(st.just(np.nan), st.just(0.0), st.floats(0.0, 1e4)),
)


@given(demand=DEMANDS, days=st.integers(1, 100))
def test_a_running_mean_is_that_of_the_known_among_the_last_days(
    demand: np.ndarray, days: int
) -> None:
    expected = pd.Series(demand).rolling(days, min_periods=1).mean().to_numpy()
    assert rolling_mean(demand, days) == pytest.approx(expected, nan_ok=True, abs=1e-8)


@given(demand=DEMANDS, weeks=st.integers(1, 60))
def test_a_mean_of_same_weekdays_leaves_out_the_others(demand: np.ndarray, weeks: int) -> None:
    found = same_weekday_mean(demand, weeks)
    for weekday in range(min(7, len(demand))):
        own = pd.Series(demand[weekday::7]).rolling(weeks, min_periods=1).mean().to_numpy()
        assert found[weekday::7] == pytest.approx(own, nan_ok=True, abs=1e-8)


@given(demand=DEMANDS, days=st.sampled_from([1, 3, 7, 15]))
def test_a_centred_mean_is_that_of_the_known_days_around(demand: np.ndarray, days: int) -> None:
    expected = pd.Series(demand).rolling(days, center=True, min_periods=1).mean().to_numpy()
    assert centred_mean(demand, days) == pytest.approx(expected, nan_ok=True, abs=1e-8)
