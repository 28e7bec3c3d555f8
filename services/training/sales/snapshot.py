"""The stored sales as the core's series: a handful of queries however many series are asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.demand.assembly import Place, build_series
from services.training.demand.series import Event, Series
from services.training.sales.days import Ints, day_of, timestamps
from services.training.sales.known_days import KnownDays, Span, read_known_days
from services.training.sales.numeric import Floats
from services.training.sales.stored_days import (
    StoredDays,
    last_sold,
    read_stored_days,
    trading_days_in_gaps,
)

SERIES: Final = text("""
SELECT s.id, s.product, s.location, coalesce(l.country, t.country) AS country,
  CASE WHEN coalesce(l.country, t.country) = t.country
    THEN coalesce(l.subdivision, t.subdivision) ELSE l.subdivision END AS subdivision
FROM series s
JOIN locations l USING (tenant_id, location)
JOIN tenants t USING (tenant_id)
WHERE s.tenant_id = app_tenant()
  AND (CAST(:products AS text[]) IS NULL OR s.product = ANY (CAST(:products AS text[])))
  AND (CAST(:locations AS text[]) IS NULL OR s.location = ANY (CAST(:locations AS text[])))
ORDER BY s.location, s.product
""")
EVENTS: Final = text(
    "SELECT name, dates, locations, window_before, window_after FROM calendar_events "
    "WHERE tenant_id = app_tenant() ORDER BY id"
)


@dataclass(frozen=True, slots=True)
class SeriesKey:
    """A series as it is known to the database; a subdivision belongs to its country."""

    id: int
    place: Place


@dataclass(frozen=True, slots=True)
class StoredSeries:
    """A series with its id."""

    series_id: int
    series: Series


async def select_series(
    session: AsyncSession, products: Sequence[str] | None, locations: Sequence[str] | None
) -> list[SeriesKey]:
    """The tenant's series in order of location and product; None: of every one of them."""
    wanted = {
        "products": None if products is None else list(products),
        "locations": None if locations is None else list(locations),
    }
    rows = await session.execute(SERIES, wanted)
    return [
        SeriesKey(row.id, Place(row.product, row.location, row.country, row.subdivision))
        for row in rows
    ]


async def read_series(
    session: AsyncSession, keys: Sequence[SeriesKey], *, horizon_days: int, window_days: int
) -> list[StoredSeries]:
    """The series with all that is known of their days, in the order of `keys`.

    One of which no quantity is known has no history yet, and is left out. `window_days` counts
    back from the last day of history. Read many in batches: a series takes about 100 bytes a day.
    """
    stored = await read_stored_days(session, [key.id for key in keys])
    begun = [key for key in keys if key.id in stored and len(stored[key.id].known_days())]
    places = [key.place for key in begun]
    sold = await last_sold(session, list({place.location for place in places}))
    trading = await trading_days_in_gaps(
        session, [(key.place.location, stored[key.id]) for key in begun]
    )
    known = await read_known_days(
        session, [place.location for place in places], [place.product for place in places]
    )
    events = await _events(session, [place.location for place in places])
    found = []
    for key in begun:
        location, days = key.place.location, stored[key.id]
        span = span_of(days, sold[location], horizon_days, window_days)
        rows = rows_over(span, days, known, key.place)
        series = _build(key.place, span, rows, trading[location], events[location])
        found.append(StoredSeries(key.id, series))
    return found


def span_of(stored: StoredDays, last_sold: int, horizon_days: int, window_days: int) -> Span:
    """The days to read of a series.

    History ends with its last known quantity, or with a day marked closed after it, though no
    later than `last_sold`, the location's last known quantity: what is planned has not been.
    """
    known, closed = stored.known_days(), stored.closed_days()
    through = int(np.append(closed[closed <= last_sold], known[-1]).max())
    first = max(int(known[0]), through - window_days + 1)
    return Span(first, through, through + horizon_days)


def rows_over(span: Span, stored: StoredDays, known: KnownDays, place: Place) -> pd.DataFrame:
    """Every day of the span as the core reads rows: what a sale says itself goes before what is
    known of its day, and a day that sold was open whatever the calendar of its location says."""
    within = (stored.day >= span.first) & (stored.day <= span.last)
    said = known.over(span, place.location, place.product)
    rows: dict[str, Floats] = dict(said)
    for name, values in stored.values.items():
        own = np.full(len(span.days), np.nan)
        own[stored.day[within] - span.first] = values[within]
        rows[name] = np.where(np.isnan(own), said.get(name, np.nan), own)
    sold = (rows["quantity"] > 0) & (rows["open"] == 0)
    rows["open"] = np.where(sold, np.nan, rows["open"])
    return pd.DataFrame({"date": timestamps(span.days), **_learnable(rows, span)})


def _learnable(rows: Mapping[str, Floats], span: Span) -> dict[str, Floats]:
    """The columns of which something is known in the past: of no other can anything be learnt."""
    past = slice(None, span.through - span.first + 1)
    always = ("quantity", "open", "stockout")
    return {
        name: values
        for name, values in rows.items()
        if name in always or not np.isnan(values[past]).all()
    }


def _build(
    place: Place, span: Span, rows: pd.DataFrame, trading: Ints, events: tuple[Event, ...]
) -> Series:
    return build_series(
        place,
        rows,
        timestamps(trading),
        horizon_days=span.last - span.through,
        data_through=day_of(span.through),
        events=events,
    )


async def _events(session: AsyncSession, locations: Sequence[str]) -> dict[str, tuple[Event, ...]]:
    rows = (await session.execute(EVENTS)).all()
    return {
        location: tuple(
            Event(row.name, tuple(row.dates), row.window_before, row.window_after)
            for row in rows
            if row.locations is None or location in row.locations
        )
        for location in dict.fromkeys(locations)
    }
