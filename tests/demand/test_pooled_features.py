"""What the pool sees of a day to come: nothing of what came after the origin."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.training.demand.neighbourhood import Nearness, near_holidays
from services.training.demand.pooled.config import PoolConfig
from services.training.demand.pooled.examples import Knowledge, example_of
from services.training.demand.pooled.features import Columns, Vocabulary, as_matrix
from services.training.demand.pooled.seasons import rhythms_of
from services.training.demand.series import Event, Series
from tests.demand.made_series import bakery_series, series_of

CONFIG = PoolConfig(horizon_days=14)
DAYS = 500
START = date(2022, 1, 3)


def row_of(series: Series, origin: int, targets: np.ndarray) -> Columns:
    example = example_of(series, CONFIG, {})
    track = example.track
    words = Vocabulary(("roll",), ("main",), track.occasions, ("promotion",))
    knowledge = Knowledge(words, rhythms_of([track]))
    return knowledge.table(example, np.full(len(targets), origin), targets)


def sold_otherwise(series: Series, after: int, factor: float) -> Series:
    history = series.history.copy()
    later = history.index[after + 1 :]
    history.loc[later, "quantity"] = history.loc[later, "quantity"] * factor + 50.0
    return replace(series, history=history)


@settings(deadline=None, max_examples=30)
@given(st.integers(40, DAYS - 15), st.floats(0.0, 20.0))
def test_what_was_sold_after_the_origin_changes_no_column(origin: int, factor: float) -> None:
    eve = Event("fair", (START + timedelta(days=origin + 3), START + timedelta(days=20)))
    series = bakery_series(DAYS, 14, events=(eve,), regressors={"promotion": (10.0, True)})
    targets = np.arange(origin + 1, origin + 15)
    before = row_of(series, origin, targets)
    after = row_of(sold_otherwise(series, origin, factor), origin, targets)
    for name, values in before.items():
        assert np.array_equal(values, after[name], equal_nan=True), name
    assert as_matrix(before).shape == (14, len(before))


def test_the_outlook_of_a_day_is_that_of_its_weekday() -> None:
    series = bakery_series(DAYS, 14, closed_weekday=None)
    table = row_of(series, 400, np.arange(401, 415))
    rhythm = np.array([0.8, 0.9, 1.0, 1.0, 1.2, 1.4, 0.7])[table["weekday"].astype(int)]
    assert np.corrcoef(table["outlook"], rhythm)[0, 1] > 0.95


@pytest.mark.parametrize("kind", [Nearness.HOLIDAY, Nearness.BEFORE, Nearness.AFTER])
def test_a_day_near_a_holiday_is_known_by_how_others_were_beside_their_weekday(
    kind: Nearness,
) -> None:
    kinds = {
        day: one for year in (2022, 2023) for day, one in near_holidays("DE", None, year).items()
    }
    days = [START + timedelta(days=number) for number in range(DAYS)]
    alike = [number for number, day in enumerate(days) if kinds.get(day) is kind]
    sales = [20.0 if number in alike else 10.0 for number in range(DAYS)]
    series = series_of(sales, start=str(START), horizon=14)
    target = alike[-1]
    origin = target - 3
    found = row_of(series, origin, np.array([target]))
    assert found["near_holiday"].tolist() == [float(kind)]
    seen = sum(7 <= number <= origin for number in alike)
    assert seen > 1
    # Each of them sold twice its weekday; one of two that share a weekday raises what is usual.
    assert found["near_to_weekday"][0] == pytest.approx((2.0 * seen + 2.0) / (seen + 2.0), rel=0.06)


def test_a_day_near_none_has_no_such_days() -> None:
    series = series_of([10.0] * 200, start="2023-06-12", horizon=14)
    found = row_of(series, 30, np.array([40]))
    assert np.isnan(found["near_to_weekday"]).all()
    assert np.isnan(found["occasion_to_weekday"]).all()
    assert found["near_holiday"].tolist() == [0.0]


def test_the_outlook_knows_the_eve_of_a_holiday_by_its_name() -> None:
    """Christmas Eve sold four times as much a year ago; other eves sold as ever."""
    known = (date(2023, 12, 15) - START).days
    sales = [
        40.0 if START + timedelta(days=n) == date(2022, 12, 24) else 10.0 for n in range(known)
    ]
    eve = (date(2023, 12, 24) - START).days
    series = series_of(sales, start=str(START), horizon=14)
    usual, on_eve = row_of(series, known - 1, np.array([eve - 2, eve]))["outlook"]
    assert on_eve > 1.3 * usual
