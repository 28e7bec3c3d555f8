"""Holidays are those of the place and of the years asked for; events stay the tenant's own."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from services.training.demand.calendar import (
    UnknownRegionError,
    holidays_frame,
    public_holidays,
    require_region,
)
from services.training.demand.series import Event
from tests.demand.made_series import bakery_series


def test_a_subdivision_has_its_own_holidays() -> None:
    epiphany = date(2024, 1, 6)
    assert epiphany in dict(public_holidays("DE", "BY", 2024, 2024))
    assert epiphany not in dict(public_holidays("DE", "SH", 2024, 2024))
    assert date(2024, 12, 25) in dict(public_holidays("DE", None, 2024, 2024))


def test_the_frame_holds_exactly_the_years_of_history_and_plan() -> None:
    series = bakery_series(days=360, start="2022-01-03")
    frame = holidays_frame(series)
    assert set(frame["ds"].dt.year) == {2022, 2023}
    expected = public_holidays("DE", "SH", 2022, 2023)
    assert [(row.ds.date(), row.holiday) for row in frame.itertuples()] == list(expected)


def test_events_are_apart_from_holidays_and_keep_their_window() -> None:
    christmas = date(2022, 12, 25)
    event = Event("Christmas Day", (christmas, date(1999, 1, 1)), window_before=2, window_after=1)
    frame = holidays_frame(bakery_series(events=(event,)))
    own = frame[frame["holiday"] == "event: Christmas Day"]
    assert own[["ds", "lower_window", "upper_window"]].to_numpy().tolist() == [
        [pd.Timestamp(christmas), -2, 1]
    ]
    assert len(frame[frame["ds"] == pd.Timestamp(christmas)]) == 2


def test_names_that_prophet_splits_are_made_safe() -> None:
    event = Event("a_delim_b", (date(2022, 5, 5),))
    names = holidays_frame(bakery_series(events=(event,)))["holiday"]
    assert not names.str.contains("_delim_").any()


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
