"""A place is open as it said; of other days, as it has kept weekdays and holidays so far."""

import numpy as np
import pandas as pd
import pytest

from services.training.demand.opening import opening_plan

NEW_YEAR, LABOUR_DAY, CHRISTMAS = "2024-01-01", "2024-05-01", "2024-12-25"


def past(first: str, last: str, closed: tuple[str, ...] = (), rest_day: int | None = None):
    days = pd.date_range(first, last)
    is_open = pd.Series(True, index=days)
    is_open[pd.DatetimeIndex(closed)] = False
    if rest_day is not None:
        is_open[days.day_of_week == rest_day] = False
    return is_open


def ahead(*days: str, said: float = np.nan) -> pd.Series:
    return pd.Series(said, index=pd.DatetimeIndex(days))


def plan(stated: pd.Series, so_far: pd.Series, country: str = "DE") -> list[bool]:
    return opening_plan(stated, so_far, country, None).tolist()


def test_a_holiday_that_was_kept_is_closed_again_and_one_that_was_not_is_open() -> None:
    so_far = past("2023-06-01", "2024-12-20", closed=("2023-12-25", NEW_YEAR))
    assert plan(ahead(CHRISTMAS, "2024-12-26", "2024-12-27"), so_far) == [False, True, True]


def test_a_holiday_that_was_kept_in_some_years_only_is_open() -> None:
    so_far = past("2022-01-01", "2024-12-20", closed=("2022-12-25",))
    assert plan(ahead(CHRISTMAS), so_far) == [True]


def test_a_holiday_not_yet_lived_through_is_kept_where_three_others_all_were() -> None:
    kept = ("2024-03-29", "2024-04-01", LABOUR_DAY)
    assert plan(ahead("2024-05-09"), past("2024-03-01", "2024-05-05", closed=kept)) == [False]
    assert plan(ahead("2024-05-09"), past("2024-03-01", "2024-05-05", closed=kept[:2])) == [True]
    fewer = past("2024-04-10", "2024-05-05", closed=(LABOUR_DAY,))
    assert plan(ahead("2024-05-09"), fewer) == [True]


def test_a_holiday_on_a_day_of_rest_says_nothing() -> None:
    """Christmas 2022 fell on a Sunday, on which this place never opens."""
    so_far = past("2022-11-01", "2023-12-01", rest_day=6)
    assert plan(ahead("2023-12-25"), so_far) == [True]


@pytest.mark.parametrize("said", [0.0, 1.0])
def test_what_is_said_of_a_day_goes_before_what_is_usual(said: float) -> None:
    so_far = past("2023-06-01", "2024-12-20", closed=("2023-12-25",))
    assert plan(ahead(CHRISTMAS, "2024-12-27", said=said), so_far) == [bool(said)] * 2


def test_a_weekday_always_closed_of_late_is_closed() -> None:
    so_far = past("2024-01-02", "2024-03-03", rest_day=0)
    assert plan(ahead("2024-03-04", "2024-03-05"), so_far) == [False, True]


def test_a_place_of_an_unknown_country_keeps_weekdays_alone() -> None:
    so_far = past("2023-06-01", "2024-12-20", closed=("2023-12-25",))
    assert plan(ahead(CHRISTMAS), so_far, country="XX") == [True]
