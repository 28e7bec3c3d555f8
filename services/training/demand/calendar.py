"""Public holidays of a country and subdivision beside the tenant's own events."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Final

import holidays
import pandas as pd

from services.training.demand.series import Event, Series

_COLUMNS: Final = ["ds", "holiday", "lower_window", "upper_window"]
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


def require_region(country: str, subdivision: str | None) -> None:
    """Raises `UnknownRegionError` unless `country` and `subdivision` have a calendar."""
    supported = holidays.list_supported_countries()
    if country not in supported:
        raise UnknownRegionError(country, None, ", ".join(supported))
    if subdivision is not None and subdivision not in supported[country]:
        known = ", ".join(supported[country]) or "none; leave the subdivision out"
        raise UnknownRegionError(country, subdivision, known)


@lru_cache(maxsize=256)
def public_holidays(
    country: str, subdivision: str | None, first_year: int, last_year: int
) -> tuple[tuple[date, str], ...]:
    """(day, English name) of every public holiday of those years, in order of day."""
    require_region(country, subdivision)
    found = holidays.country_holidays(
        country,
        subdiv=subdivision,
        years=range(first_year, last_year + 1),
        expand=False,
        language="en_US",
    )
    return tuple((day, name) for day in sorted(found) for name in found.get_list(day))


def holidays_frame(series: Series) -> pd.DataFrame:
    """Prophet's holidays frame for exactly the years of history and plan.

    Columns ds, holiday, lower_window (<= 0), upper_window (>= 0). Events are named apart from
    holidays, so that a tenant's "Christmas" is not mistaken for the country's.
    """
    first = series.history.index[0].year
    last = (series.plan.index if len(series.plan) else series.history.index)[-1].year
    rows: list[tuple[pd.Timestamp, str, int, int]] = [
        (pd.Timestamp(day), _safe(name), 0, 0)
        for day, name in public_holidays(series.country, series.subdivision, first, last)
    ]
    for event in series.events:
        rows.extend(_event_rows(event, first, last))
    return pd.DataFrame(rows, columns=_COLUMNS)


def _event_rows(
    event: Event, first_year: int, last_year: int
) -> list[tuple[pd.Timestamp, str, int, int]]:
    return [
        (
            pd.Timestamp(day),
            f"event: {_safe(event.name)}",
            -event.window_before,
            event.window_after,
        )
        for day in sorted(set(event.dates))
        if first_year <= day.year <= last_year
    ]


def _safe(name: str) -> str:
    return name.replace(_RESERVED, "_")
