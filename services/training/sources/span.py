"""From which day on weather and traffic are wanted, and how far each place was read."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import text

from services.training.sources.run import Run
from shared.database import tenant_transaction

FIRST_SALE: Final = text("""
SELECT min(first.date) FROM series s, LATERAL (
  SELECT date FROM sales x
  WHERE x.tenant_id = s.tenant_id AND x.series_id = s.id AND x.quantity IS NOT NULL
  ORDER BY date LIMIT 1
) first WHERE s.tenant_id = app_tenant()
""")
BEFORE_SALES: Final = timedelta(days=373)
"""A year more, so that from the first sale on it is known what weather is usual."""
WITHOUT_SALES: Final = timedelta(days=365)
LONGEST: Final = timedelta(days=5 * 366)


async def first_sale(run: Run, today: date) -> date:
    """Of any product, though not longer ago than is ever looked at."""
    async with tenant_transaction(run.supply.sessions, run.tenant_id) as session:
        found = await session.scalar(FIRST_SALE)
    return max(found or today - WITHOUT_SALES, today - LONGEST)


def through(state: Mapping[str, Any], place: str, part: str) -> date | None:
    """The last day until which this part of the past of a cell or location was read."""
    read: str | None = state.get("places", {}).get(place, {}).get(part)
    return None if read is None else date.fromisoformat(read)


def first_unread(
    state: Mapping[str, Any], place: str, part: str, since: date, overlap: timedelta
) -> date:
    """From which day on this part is to be read: where the last reading ended, less an overlap; or
    all of it, where it is wanted `since` an earlier day than was ever read."""
    begun, read = through(state, place, f"{part}_since"), through(state, place, part)
    if begun is None or read is None or since < begun:
        return since
    return max(since, read + timedelta(days=1) - overlap)


def with_through(
    state: Mapping[str, Any], part: str, read: Mapping[str, date], since: date
) -> dict[str, Any]:
    """The state after this part was read since a day until these days, by place."""
    places = {place: dict(parts) for place, parts in state.get("places", {}).items()}
    for place, day in read.items():
        kept = {f"{part}_since": since.isoformat(), part: day.isoformat()}
        places[place] = places.get(place, {}) | kept
    return {**state, "places": places}
