"""The stored sales as the core's series: a handful of queries however many series are asked for."""

import asyncio
from collections.abc import Sequence
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.demand.series import Event, Series
from services.training.sales.assemble import SeriesKey, Window, assemble, span_of
from services.training.sales.known_days import read_known_days
from services.training.sales.stored_days import (
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


async def list_series(
    session: AsyncSession,
    products: Sequence[str] | None = None,
    locations: Sequence[str] | None = None,
) -> list[SeriesKey]:
    """The tenant's series in order of location and product; None: of every one of them."""
    wanted = {
        "products": None if products is None else list(products),
        "locations": None if locations is None else list(locations),
    }
    return [SeriesKey(*row) for row in await session.execute(SERIES, wanted)]


async def read_series(
    session: AsyncSession, keys: Sequence[SeriesKey], *, horizon_days: int, window: Window
) -> dict[int, Series]:
    """The series by id, in the order of `keys`, with all that is known of their days.

    One of which no quantity is known has no history yet, and is left out. The window counts
    back from the last known quantity. Read many in batches: a series takes about 100 bytes a day.
    """
    stored = await read_stored_days(session, [key.id for key in keys])
    begun = [key for key in keys if key.id in stored and len(stored[key.id].known_days())]
    locations = list(dict.fromkeys(key.location for key in begun))
    sold = await last_sold(session, locations)
    trading = await trading_days_in_gaps(session, [(key.location, stored[key.id]) for key in begun])
    known = await read_known_days(session, locations, [key.product for key in begun])
    events = await _events(session, locations)

    def assembled() -> dict[int, Series]:
        found = {}
        for key in begun:
            span = span_of(stored[key.id], sold[key.location], horizon_days, window)
            days, calendar = trading[key.location], events[key.location]
            found[key.id] = assemble(key, span, stored[key.id], known, days, calendar)
        return found

    return await asyncio.to_thread(assembled)  # some 10 ms each: the loop has leases to renew


async def _events(session: AsyncSession, locations: Sequence[str]) -> dict[str, tuple[Event, ...]]:
    rows = (await session.execute(EVENTS)).all()
    return {
        location: tuple(
            Event(row.name, tuple(row.dates), row.window_before, row.window_after)
            for row in rows
            if row.locations is None or location in row.locations
        )
        for location in locations
    }
