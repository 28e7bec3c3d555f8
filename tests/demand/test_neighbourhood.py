"""The days on and around public holidays have the kind that a reader of the calendar gives them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.training.demand.calendar import public_holidays
from services.training.demand.features import prepare
from services.training.demand.model import PosedDesign, UnfittedProphet
from services.training.demand.neighbourhood import (
    Nearness,
    named_neighbours,
    near_holidays,
    shared_occasions,
)
from tests.demand.made_series import series_of

DAY = timedelta(days=1)
WEEKENDS = {"DE": (5, 6), "FR": (5, 6), "RS": (5, 6), "US": (5, 6), "IL": (4, 5)}


def expected(country: str, day: date, taken: set[date]) -> Nearness:
    def is_felt(other: date) -> bool:
        return other in taken and other.isoweekday() != 7

    def is_free(other: date) -> bool:
        return other in taken or other.weekday() in WEEKENDS[country]

    if is_felt(day):
        return Nearness.HOLIDAY
    if day in taken or not (is_felt(day - DAY) or is_felt(day + DAY)):
        return Nearness.NONE
    if not is_free(day) and is_free(day - DAY) and is_free(day + DAY):
        return Nearness.BRIDGE
    return Nearness.BEFORE if is_felt(day + DAY) else Nearness.AFTER


@settings(deadline=None)
@given(st.sampled_from(sorted(WEEKENDS)), st.integers(2012, 2032))
def test_every_day_of_a_year_is_as_near_as_the_days_beside_it_make_it(
    country: str, year: int
) -> None:
    taken = {
        holiday.day
        for own in (year - 1, year, year + 1)
        for holiday in public_holidays(country, None, own)
    }
    found = near_holidays(country, None, year)
    days = [date(year, 1, 1) + number * DAY for number in range(365)]
    for day in days:
        assert found.get(day, Nearness.NONE) is expected(country, day, taken), day
    assert list(found) == sorted(found)
    assert all(day.year == year for day in found)


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2015, 4, 30), Nearness.BEFORE),  # a Thursday, before Labour Day
        (date(2015, 5, 15), Nearness.BRIDGE),  # the Friday after Ascension Day
        (date(2014, 12, 31), Nearness.BEFORE),  # of a holiday of the next year
        (date(2015, 4, 7), Nearness.AFTER),  # the Tuesday after Easter
        (date(2015, 4, 6), Nearness.HOLIDAY),  # Easter Monday
        (date(2016, 5, 2), Nearness.NONE),  # Labour Day was a Sunday
    ],
)
def test_days_that_everybody_knows(day: date, kind: Nearness) -> None:
    assert near_holidays("DE", None, day.year).get(day, Nearness.NONE) is kind


def test_the_occasions_are_those_of_history_and_plan_under_four_names() -> None:
    found = shared_occasions(series_of([5.0] * 400, horizon=14, start="2022-12-20"))
    assert {occasion.day.year for occasion in found} == {2022, 2023, 2024}
    assert len({occasion.name for occasion in found}) == 4
    assert len({occasion.day for occasion in found}) == len(found)


def test_the_days_beside_a_holiday_have_its_name_and_only_one() -> None:
    named = named_neighbours(series_of([5.0] * 400, horizon=14, start="2014-12-20"))
    found = {neighbour.day: neighbour.name for neighbour in named}
    assert len(found) == len(named)
    assert found[date(2014, 12, 24)] == "day before Christmas Day"
    assert found[date(2014, 12, 27)] == "day after Second Day of Christmas"
    assert found[date(2014, 12, 31)] == found[date(2015, 12, 31)] == "day before New Year's Day"
    assert found[date(2016, 1, 2)] == "day after New Year's Day"
    assert found[date(2015, 4, 5)] == "day before Easter Monday"
    assert not found.keys() & {
        holiday.day for year in (2014, 2015, 2016) for holiday in public_holidays("DE", None, year)
    }
    assert {day.year for day in found} == {2014, 2015, 2016}


def test_a_day_between_two_holidays_is_named_by_the_one_to_come() -> None:
    spain = replace(series_of([5.0] * 60, start="2023-11-01", horizon=14), country="ES")
    found = {neighbour.day: neighbour.name for neighbour in named_neighbours(spain)}
    assert found[date(2023, 12, 7)] == "day before Immaculate Conception"


def test_prophet_expects_of_an_eve_it_never_saw_what_others_were_like() -> None:
    """On eves of 2023 so far twice as much was sold; the plan has the first Christmas Eve."""
    kinds = near_holidays("DE", None, 2023)
    days = [date(2023, 1, 24) + number * DAY for number in range(325)]
    sales = [20.0 if kinds.get(day) is Nearness.BEFORE else 10.0 for day in days]
    series = series_of(sales, start="2023-01-24", horizon=14)
    fitted = UnfittedProphet().fit(PosedDesign(prepare(series)))
    expected_sales = fitted.predict().mean
    eve = series.plan.index.get_loc("2023-12-24")
    assert expected_sales[eve] > 1.3 * float(np.median(expected_sales))
