"""Development origins lie before the test days, and a change comes with its standard error."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from benchmarks.accuracy.development import TEST_DAYS, change
from benchmarks.accuracy.origins import read_data_set
from benchmarks.accuracy.protocol import HORIZON
from benchmarks.real_data import DataSetAbsent


def test_no_day_of_development_is_one_of_the_test() -> None:
    try:
        test, earlier = (read_data_set("yaz_restaurant", days_earlier=by) for by in (0, TEST_DAYS))
    except DataSetAbsent as absent:
        pytest.skip(str(absent))
    last = earlier.origins[-1][0].series.data_through + pd.Timedelta(days=HORIZON)
    assert last == test.origins[0][0].series.data_through


def test_a_change_is_the_mean_of_the_logarithms_over_data_sets() -> None:
    reference = pd.Series({"a": 10.0, "b": 30.0})
    found = change([(0.9 * reference, reference), (0.8 * reference, reference)])
    assert found["change"] == pytest.approx(50.0 * math.log(0.9 * 0.8), abs=0.01)
    assert found["standard_error"] == 0.0


def test_series_that_change_by_different_shares_make_it_uncertain() -> None:
    reference = pd.Series({"a": 10.0, "b": 10.0})
    found = change([(pd.Series({"a": 8.0, "b": 12.0}), reference)])
    assert found["change"] == 0.0
    # Residuals of -2 and 2, over a sum of 20: sqrt(2 * 8) / 20.
    assert found["standard_error"] == pytest.approx(20.0)
