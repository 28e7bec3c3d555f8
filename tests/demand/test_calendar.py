"""Holidays are those of the place and of the years asked for; events stay the tenant's own."""

from __future__ import annotations

from datetime import date

import pytest

from services.training.demand.calendar import (
    Holiday,
    UnknownRegionError,
    holidays_of,
    public_holidays,
    require_region,
)
from services.training.demand.series import Event
from tests.demand.made_series import bakery_series


def days_of(*region: object) -> set[date]:
    return {holiday.day for holiday in public_holidays(*region)}  # type: ignore[arg-type]


def test_a_subdivision_has_its_own_holidays() -> None:
    epiphany = date(2024, 1, 6)
    assert epiphany in days_of("DE", "BY", 2024)
    assert epiphany not in days_of("DE", "SH", 2024)
    assert date(2024, 12, 25) in days_of("DE", None, 2024)


def test_holidays_are_those_of_exactly_the_years_of_history_and_plan() -> None:
    series = bakery_series(days=360, start="2022-01-03")
    found = holidays_of(series)
    assert {holiday.day.year for holiday in found} == {2022, 2023}
    assert found == public_holidays("DE", "SH", 2022) + public_holidays("DE", "SH", 2023)


def test_events_are_apart_from_holidays_and_keep_their_window() -> None:
    christmas = date(2022, 12, 25)
    event = Event("Christmas Day", (christmas, date(1999, 1, 1)), window_before=2, window_after=1)
    found = holidays_of(bakery_series(events=(event,)))
    own = [holiday for holiday in found if holiday.name == "event: Christmas Day"]
    assert own == [Holiday(christmas, "event: Christmas Day", before=2, after=1)]
    assert sum(holiday.day == christmas for holiday in found) == 2


def test_names_that_prophet_splits_are_made_safe() -> None:
    event = Event("a_delim_b", (date(2022, 5, 5),))
    names = [holiday.name for holiday in holidays_of(bakery_series(events=(event,)))]
    assert "event: a_b" in names


@pytest.mark.parametrize(
    ("country", "subdivision", "said"),
    [("XX", None, "'XX'"), ("DE", "ZZ", "'ZZ'"), ("de", None, "'de'"), ("", None, "''")],
)
def test_an_unknown_region_is_an_error_that_says_what_is_known(
    country: str, subdivision: str | None, said: str
) -> None:
    with pytest.raises(UnknownRegionError, match=said) as caught:
        require_region(country, subdivision)
    assert (caught.value.country, caught.value.subdivision) in (
        (country, subdivision),
        (country, None),
    )
    assert "known: " in str(caught.value)
