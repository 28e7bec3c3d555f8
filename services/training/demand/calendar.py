"""Public holidays of a country and subdivision beside the tenant's own events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

import holidays

from services.training.demand.series import Event, Series

# Prophet splits column names at this text and refuses it in a holiday's name.
_RESERVED: Final = "_delim_"


class UnknownRegionError(ValueError):
    """A country or subdivision without a holiday calendar."""

    def __init__(self, country: str, subdivision: str | None, known: str) -> None:
        super().__init__(
            f"no public holidays are known for country {country!r}"
            + (f", subdivision {subdivision!r}" if subdivision else "")
            + f"; known: {known}"
        )
        self.country = country
        self.subdivision = subdivision


@dataclass(frozen=True, slots=True)
class Holiday:
    """One occurrence, felt from `before` to `after` days around it."""

    day: date
    name: str
    before: int = 0
    after: int = 0


def require_region(country: str, subdivision: str | None) -> None:
    """Raises `UnknownRegionError` unless `country` and `subdivision` have a calendar."""
    supported = _supported_countries()
    if country not in supported:
        raise UnknownRegionError(country, None, ", ".join(supported))
    if subdivision is not None and subdivision not in supported[country]:
        known = ", ".join(supported[country]) or "none; leave the subdivision out"
        raise UnknownRegionError(country, subdivision, known)


@lru_cache(maxsize=4096)
def public_holidays(country: str, subdivision: str | None, year: int) -> tuple[Holiday, ...]:
    """Every public holiday of that year by its English name, in order of day.

    Kept for the life of the process, because a year takes milliseconds and every fold of every
    series of a place asks for the same ones."""
    require_region(country, subdivision)
    found = holidays.country_holidays(
        country, subdiv=subdivision, years=year, expand=False, language="en_US"
    )
    return tuple(Holiday(day, _safe(name)) for day in sorted(found) for name in found.get_list(day))


def holidays_of(series: Series) -> tuple[Holiday, ...]:
    """Holidays, then events, of exactly the years of history and plan.

    Events are named apart from holidays, so that a tenant's "Christmas" is not mistaken for the
    country's."""
    first = series.history.index[0].year
    last = (series.plan.index if len(series.plan) else series.history.index)[-1].year
    public = (
        holiday
        for year in range(first, last + 1)
        for holiday in public_holidays(series.country, series.subdivision, year)
    )
    own = (day for event in series.events for day in _occurrences(event, first, last))
    return (*public, *own)


def _occurrences(event: Event, first_year: int, last_year: int) -> Iterator[Holiday]:
    name = f"event: {_safe(event.name)}"
    for day in sorted(set(event.dates)):
        if first_year <= day.year <= last_year:
            yield Holiday(day, name, event.window_before, event.window_after)


@lru_cache(maxsize=1)
def _supported_countries() -> dict[str, list[str]]:
    return holidays.list_supported_countries()


def _safe(name: str) -> str:
    return name.replace(_RESERVED, "_")
