"""The two views of demand: what their answers are multiples of."""

from __future__ import annotations

import numpy as np
import pytest

from services.training.demand.pooled.boosters import Rows
from services.training.demand.pooled.views import View, seen_by, unit_of

NAN = np.nan
COLUMNS = {
    "outlook": np.array([2.0, 0.0, NAN, NAN, NAN]),
    "same_weekday_mean_8": np.array([1.0, 1.0, 0.5, NAN, NAN]),
    "mean_28": np.array([1.0, 1.0, 1.0, 0.8, NAN]),
}


def rows() -> Rows:
    features = np.column_stack(list(COLUMNS.values()))
    return Rows(features, tuple(COLUMNS), np.array([1.0, 1.0, 1.0, 1.0, 1.0]), np.full(5, 2.0))


def test_a_correction_begins_with_the_outlook_or_what_there_is_instead() -> None:
    unit = unit_of(View.CORRECTING, COLUMNS)
    assert unit.tolist() == [2.0, 0.05, 0.5, 0.8, 1.0]
    assert unit_of(View.DIRECT, COLUMNS).tolist() == [1.0] * 5


@pytest.mark.parametrize("view", list(View))
def test_a_weighted_sum_of_misses_in_the_views_unit_is_one_in_sales(view: View) -> None:
    plain, seen = rows(), seen_by(view, rows())
    sales = seen.target * unit_of(view, COLUMNS)
    assert sales == pytest.approx(plain.target)
    miss = np.abs(seen.target - 0.5)
    expected = np.abs(plain.target - 0.5 * unit_of(view, COLUMNS)) * plain.weight
    assert miss * seen.weight == pytest.approx(expected)
