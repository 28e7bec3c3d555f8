"""What was foreseen of a day is used as it was foreseen, by those who could know it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from services.training.demand import foreseen
from services.training.demand.backtest import fold_at
from services.training.demand.features import planned_regressors, prepare
from services.training.demand.pooled.track import track_of
from services.training.demand.series import MalformedSeriesError, Series
from tests.demand.made_shop import LEADS, shop

VALUES = st.floats(-50, 50) | st.just(np.nan)
TABLES = st.tuples(st.integers(1, 30), st.integers(1, 7)).flatmap(
    lambda shape: arrays.arrays(np.float64, shape, elements=VALUES)
)


def newest(issued: np.ndarray, day: int, origin: int) -> float:
    """Of all that was issued of the day by the origin's end, what was issued last."""
    for lead in range(max(day - origin, 1), issued.shape[1] + 1):
        if not np.isnan(issued[day, lead - 1]):
            return float(issued[day, lead - 1])
    return float("nan")


@given(issued=TABLES, data=st.data())
def test_known_is_the_newest_of_what_was_issued_by_then(
    issued: np.ndarray, data: st.DataObject
) -> None:
    days = issued.shape[0]
    origin = data.draw(st.integers(0, days - 1))
    ahead = data.draw(st.integers(0, days - 1 - origin))
    expected = [newest(issued, origin + 1 + step, origin) for step in range(ahead)]
    table = foreseen.settled(issued)
    np.testing.assert_array_equal(foreseen.ahead_of(table, origin, ahead), expected)
    cut = foreseen.known_at(table, origin, ahead)
    np.testing.assert_array_equal(foreseen.ahead_of(cut, origin, ahead), expected)


@given(issued=TABLES, data=st.data())
def test_a_cut_table_holds_nothing_that_was_issued_later(
    issued: np.ndarray, data: st.DataObject
) -> None:
    days = issued.shape[0]
    origin = data.draw(st.integers(0, days - 1))
    day, lead = np.indices(issued.shape)
    later = np.where(day - (lead + 1) > origin, 1e6, issued)
    cuts = [
        foreseen.known_at(foreseen.settled(each), origin, days - 1 - origin)
        for each in (issued, later)
    ]
    np.testing.assert_array_equal(*cuts)


def test_a_fold_plans_with_what_was_foreseen_and_then_with_the_usual() -> None:
    series = shop(products=1)[0]
    fold = fold_at(series, planned_regressors(series), 7, cutoff=100).series
    expected = [newest(series.foreseen["warmth"], 101 + step, 100) for step in range(7)]
    np.testing.assert_array_equal(fold.plan["warmth"], expected)
    assert np.isnan(expected[LEADS:]).all()
    ahead = {one.name: one.ahead for one in prepare(fold).regressors}["warmth"]
    history = fold.history["warmth"]
    for step in range(LEADS, 7):
        weekday = history.index.day_of_week == fold.plan.index[step].day_of_week
        assert ahead[step] == pytest.approx(history[weekday].mean())


def test_the_plan_is_what_is_foreseen_now() -> None:
    series = shop(products=1)[0]
    through = len(series.history) - 1
    expected = [newest(series.foreseen["warmth"], through + 1 + step, through) for step in range(7)]
    np.testing.assert_array_equal(series.plan["warmth"], expected)


def test_a_pool_learns_from_what_was_foreseen_of_past_days() -> None:
    series = shop(products=1)[0]
    track, origin = track_of(series), 100
    days = np.arange(95, 110)
    known = track.known("warmth", np.full(len(days), origin), days)
    observed = series.history["warmth"].to_numpy()
    for day, value in zip(days, known, strict=True):
        expected = (
            observed[day] if day <= origin else newest(series.foreseen["warmth"], day, origin)
        )
        np.testing.assert_equal(value, expected)


def test_what_is_foreseen_survives_bytes() -> None:
    series = shop(products=1)[0]
    again = Series.from_bytes(series.to_bytes())
    assert again.to_bytes() == series.to_bytes()
    np.testing.assert_array_equal(again.foreseen["warmth"], series.foreseen["warmth"])


@pytest.mark.parametrize(
    ("name", "table", "said"),
    [
        ("rain", np.zeros((197, 2)), "no regressor"),
        ("warmth", np.zeros((10, 2)), r"\(197, leads\)"),
        ("warmth", np.zeros((197, 0)), r"\(197, leads\)"),
        ("warmth", np.full((197, 1), np.inf), "infinity"),
    ],
)
def test_a_table_that_fits_no_series_is_refused(name: str, table: np.ndarray, said: str) -> None:
    with pytest.raises(MalformedSeriesError, match=said):
        replace(shop(products=1)[0], foreseen={name: table})
