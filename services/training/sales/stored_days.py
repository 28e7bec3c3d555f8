"""The stored rows of many series at once, and the days on which their locations sold anything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.sales.binary_copy import DATE_EPOCH, Number
from services.training.sales.bulk import copy_out
from services.training.sales.days import Ints, day_of
from services.training.sales.numeric import Floats
from services.training.sales.runs import runs_of

DAYS: Final = """
SELECT series_id, date, coalesce(quantity, 'NaN'), coalesce(price, 'NaN'),
  coalesce(promotion, 'NaN'), coalesce(stockout::int::float8, 'NaN'),
  coalesce(open::int::float8, 'NaN')
FROM sales WHERE tenant_id = app_tenant() AND series_id = ANY ($1::bigint[])
  AND date BETWEEN $2::date AND $3::date
ORDER BY series_id, date
"""
VALUES: Final = ("quantity", "price", "promotion", "stockout", "open")
COLUMNS: Final[Mapping[str, type[Number]]] = {
    "series": np.int64,
    "day": np.int32,
    **dict.fromkeys(VALUES, np.float64),
}
LAST_SOLD: Final = text("""
SELECT s.location, max(last.date) - date '1970-01-01' AS day
FROM series s, LATERAL (
  SELECT date FROM sales x
  WHERE x.tenant_id = s.tenant_id AND x.series_id = s.id AND x.quantity IS NOT NULL
  ORDER BY date DESC LIMIT 1
) last
WHERE s.tenant_id = app_tenant() AND s.location = ANY (CAST(:locations AS text[]))
GROUP BY s.location
""")
TRADING_DAYS: Final = """
SELECT DISTINCT l.at - 1, s.date
FROM unnest($1::text[]) WITH ORDINALITY AS l (location, at)
JOIN series o ON o.tenant_id = app_tenant() AND o.location = l.location
JOIN sales s ON s.tenant_id = app_tenant() AND s.series_id = o.id
WHERE s.quantity > 0 AND s.date BETWEEN $2::date AND $3::date
ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class StoredDays:
    """The rows of one series in order of `day` (since 1970-01-01); NaN is unknown."""

    day: Ints
    values: Mapping[str, Floats]

    def known_days(self) -> Ints:
        """The days with a quantity."""
        known: Ints = self.day[~np.isnan(self.values["quantity"])]
        return known

    def closed_days(self) -> Ints:
        """The days marked closed."""
        closed: Ints = self.day[self.values["open"] == 0]
        return closed


async def read_stored_days(
    session: AsyncSession, ids: Sequence[int], first: date = date.min, last: date = date.max
) -> dict[int, StoredDays]:
    """The rows of these series from `first` to `last`; a series without any is left out."""
    rows = await copy_out(session, DAYS, COLUMNS, list(ids), first, last)
    return {series: _stored(rows[run]) for series, run in runs_of(rows["series"])}


def _stored(rows: "npt.NDArray[np.void]") -> StoredDays:
    day = rows["day"].astype(np.int64) + DATE_EPOCH
    return StoredDays(day, {name: np.ascontiguousarray(rows[name]) for name in VALUES})


async def last_sold(session: AsyncSession, locations: Sequence[str]) -> dict[str, int]:
    """Of each location the last day with a known quantity of any product."""
    rows = await session.execute(LAST_SOLD, {"locations": list(locations)})
    return {row.location: row.day for row in rows}


async def read_trading_days(
    session: AsyncSession, locations: Sequence[str], first: int, last: int
) -> dict[str, Ints]:
    """Of each location the days from `first` to `last` on which it sold anything."""
    rows = await copy_out(
        session,
        TRADING_DAYS,
        {"location": np.int64, "day": np.int32},
        list(locations),
        day_of(first),
        day_of(last),
    )
    day = rows["day"].astype(np.int64) + DATE_EPOCH
    return {name: day[rows["location"] == at] for at, name in enumerate(locations)}


async def trading_days_in_gaps(
    session: AsyncSession, series: Sequence[tuple[str, StoredDays]]
) -> dict[str, Ints]:
    """The trading days of each location around the days that one of its `series` (location,
    rows) lacks. Where no day is lacking they matter to nobody, and are not looked for."""
    gaps = [(location, days) for location, stored in series if len(days := _gaps(stored))]
    found = {location: np.empty(0, dtype=np.int64) for location, _ in series}
    if not gaps:
        return found
    first = min(int(days[0]) for _, days in gaps)
    last = max(int(days[-1]) for _, days in gaps)
    locations = list(dict.fromkeys(location for location, _ in gaps))
    return found | await read_trading_days(session, locations, first, last)


def _gaps(stored: StoredDays) -> Ints:
    known = stored.known_days()
    if not len(known):
        return known
    return np.setdiff1d(np.arange(known[0], known[-1] + 1), known, assume_unique=True)
