"""Public holidays and the days around them, when people stock up, travel or stay away.

By kind, whatever the holiday: each is lived through once a year, its eve too, and what they have in
common shows sooner. By name, where something else corrects what was learnt of a day seen once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from enum import IntEnum
from functools import lru_cache
from typing import Final

import holidays

from services.training.demand.calendar import Holiday, public_holidays
from services.training.demand.series import Series

_DAY: Final = timedelta(days=1)
_SUNDAY: Final = 7


class Nearness(IntEnum):
    """What a day is to the public holidays on it and next to it."""

    NONE = 0
    HOLIDAY = 1
    BEFORE = 2
    AFTER = 3
    BRIDGE = 4


_NAMES: Final = {
    Nearness.HOLIDAY: "any public holiday",
    Nearness.BEFORE: "day before a public holiday",
    Nearness.AFTER: "day after a public holiday",
    Nearness.BRIDGE: "bridge day",
}


@lru_cache(maxsize=4096)
def near_holidays(country: str, subdivision: str | None, year: int) -> Mapping[date, Nearness]:
    """The days of that year on or beside a public holiday, in order.

    A bridge is a working day beside one with another free day on its other side. A holiday on a
    Sunday does not count: that day was free anyway."""
    taken = {holiday.day for holiday in _holidays_around(country, subdivision, year)}
    felt = {day for day in taken if day.isoweekday() != _SUNDAY}
    weekend = holidays.country_holidays(country).weekend

    def is_free(day: date) -> bool:
        return day in taken or day.weekday() in weekend

    def nearness(day: date) -> Nearness:
        if day in taken:
            return Nearness.HOLIDAY
        if not is_free(day) and is_free(day - _DAY) and is_free(day + _DAY):
            return Nearness.BRIDGE
        return Nearness.BEFORE if day + _DAY in felt else Nearness.AFTER

    near = felt | {day + side for day in felt for side in (-_DAY, _DAY)} - taken
    return {day: nearness(day) for day in sorted(near) if day.year == year}


def shared_occasions(series: Series) -> tuple[Holiday, ...]:
    """The same of all years of history and plan, as occasions of which there are four."""
    return tuple(
        occasion
        for year in _years(series)
        for occasion in _kinds(series.country, series.subdivision, year)
    )


def named_neighbours(series: Series) -> tuple[Holiday, ...]:
    """The days beside the public holidays of all years of history and plan, one name each."""
    return tuple(
        neighbour
        for year in _years(series)
        for neighbour in _names(series.country, series.subdivision, year)
    )


@lru_cache(maxsize=4096)
def _kinds(country: str, subdivision: str | None, year: int) -> tuple[Holiday, ...]:
    near = near_holidays(country, subdivision, year)
    return tuple(Holiday(day, _NAMES[kind]) for day, kind in near.items())


@lru_cache(maxsize=4096)
def _names(country: str, subdivision: str | None, year: int) -> tuple[Holiday, ...]:
    around = _holidays_around(country, subdivision, year)
    after = {holiday.day + _DAY: f"day after {holiday.name}" for holiday in around}
    before = {holiday.day - _DAY: f"day before {holiday.name}" for holiday in around}
    names = after | before
    taken = {holiday.day for holiday in around}
    beside = sorted(names.keys() - taken)
    return tuple(Holiday(day, names[day]) for day in beside if day.year == year)


def _holidays_around(country: str, subdivision: str | None, year: int) -> list[Holiday]:
    """Those of the years beside it, too: New Year's Day has its neighbours in two years."""
    years = (year - 1, year, year + 1)
    return [holiday for own in years for holiday in public_holidays(country, subdivision, own)]


def _years(series: Series) -> range:
    last = (series.plan.index if len(series.plan) else series.history.index)[-1].year
    return range(series.history.index[0].year, last + 1)
