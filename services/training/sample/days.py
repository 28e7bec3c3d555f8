"""The sample bakery's days: holidays, school holidays, festivals and when the shop is closed."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

import holidays
import numpy as np
import numpy.typing as npt
import pandas as pd

SUNDAY = 6


def bakery_days(start: date, days: int, planned_days: int, subdivision: str) -> pd.DataFrame:
    """One row for each day of history and plan, indexed by `date`.

    Columns: weekday (Monday 0), day_of_year, years (since the start), and as booleans planned,
    shop_open, public_holiday, holiday_eve, school_holiday, festival, christmas_market.
    Raises ValueError for a subdivision that is not a German Land.
    """
    index = pd.date_range(start, periods=days + planned_days, freq="D", name="date")
    # One year more on either side: an eve and the Christmas holidays look over New Year.
    years = range(index[0].year - 1, index[-1].year + 2)
    holiday_names = public_holidays(subdivision, years)
    frame = pd.DataFrame(index=index)
    frame["weekday"] = index.day_of_week
    frame["day_of_year"] = index.day_of_year
    frame["years"] = np.arange(len(index)) / 365.25
    frame["planned"] = np.arange(len(index)) >= days
    frame["shop_open"] = ~_among(index, _closed(years))
    frame["public_holiday"] = _among(index, holiday_names)
    frame["holiday_eve"] = _among(index, (day - timedelta(days=1) for day in holiday_names))
    frame["school_holiday"] = _among(index, _school_holidays(years, holiday_names))
    frame["festival"] = _among(index, _festival(years))
    frame["christmas_market"] = _among(index, _christmas_market(years))
    return frame


def public_holidays(subdivision: str, years: Iterable[int]) -> dict[date, str]:
    """The public holidays of one German Land, by day, with their English names."""
    known = holidays.country_holidays("DE").subdivisions
    if subdivision not in known:
        raise ValueError(f"subdivision {subdivision!r} is not a German Land: {', '.join(known)}")
    named = holidays.country_holidays("DE", subdiv=subdivision, years=years, language="en_US")
    return dict(named.items())


def _among(index: pd.DatetimeIndex, days: Iterable[date]) -> npt.NDArray[np.bool_]:
    return np.asarray(index.isin(pd.DatetimeIndex(sorted(days))), dtype=bool)


def _closed(years: Iterable[int]) -> Iterator[date]:
    """New Year, both days of Christmas, and a week's holiday from the second Monday of August."""
    for year in years:
        yield from (date(year, 1, 1), date(year, 12, 25), date(year, 12, 26))
        yield from _run(_on_or_after(date(year, 8, 8), weekday=0), 7)


def _school_holidays(years: Iterable[int], holiday_names: dict[date, str]) -> Iterator[date]:
    """Typical lengths and seasons, not one Land's official dates."""
    for day, name in holiday_names.items():
        if name == "Good Friday":
            yield from _run(day - timedelta(days=4), 14)
    for year in years:
        yield from _run(_on_or_after(date(year, 7, 25), weekday=3), 45)
        yield from _run(_on_or_after(date(year, 10, 25), weekday=0), 6)
        yield from _run(date(year, 12, 22), 16)


def _festival(years: Iterable[int]) -> Iterator[date]:
    """The town's festival: Friday to Sunday in the middle of June."""
    for year in years:
        yield from _run(_on_or_after(date(year, 6, 12), weekday=4), 3)


def _christmas_market(years: Iterable[int]) -> Iterator[date]:
    """From the Monday before the first Sunday of Advent to 23 December."""
    for year in years:
        first = _on_or_after(date(year, 11, 27), weekday=SUNDAY) - timedelta(days=6)
        yield from _run(first, (date(year, 12, 23) - first).days + 1)


def _on_or_after(day: date, weekday: int) -> date:
    return day + timedelta(days=(weekday - day.weekday()) % 7)


def _run(first: date, length: int) -> Iterator[date]:
    return (first + timedelta(days=offset) for offset in range(length))
