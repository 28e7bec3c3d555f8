"""Orders of a till, added up to days.

The lines of every order are kept, so that an edit replaces what the order said before, also where
it moves to another day: the days that it touches, before and after, are added up again. Asking for
the whole day again instead would not tell which day an order has left. A day counts once it is
over; until then its sums would look like poor sales. And it counts only while all of its lines are
there: not once it is settled and they are kept no longer, nor before the day since which orders are
asked for, of which only those that were edited later come.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.sales.json_rows import frame_of
from services.training.sales.sales_rows import check_sales
from services.training.sales.store import store_sales
from services.training.sources.faults import SourceFault
from services.training.sources.options import TillOptions
from services.training.sources.run import Run
from services.training.sources.sales.business_day import business_day
from services.training.sources.sales.paging import Pass

COUNTED: Final = "counted_through"
SETTLED: Final = "settled_before"
"""In the state of the source: the day before which no line is kept."""
ONE: Final = timedelta(days=1)
LARGEST: Final = 1e9

FORGET: Final = text("""
DELETE FROM order_lines WHERE tenant_id = app_tenant() AND order_id = ANY (CAST(:orders AS text[]))
RETURNING day, location, product
""")
KEEP: Final = text("""
INSERT INTO order_lines (tenant_id, order_id, location, product, day, quantity)
SELECT (SELECT app_tenant()), * FROM unnest(
  CAST(:order_id AS text[]), CAST(:location AS text[]), CAST(:product AS text[]),
  CAST(:day AS date[]), CAST(:quantity AS float8[]))
""")
SUMS: Final = text("""
SELECT k.day, k.location, k.product, coalesce(sum(l.quantity), 0) AS quantity
FROM unnest(CAST(:day AS date[]), CAST(:location AS text[]), CAST(:product AS text[]))
  AS k (day, location, product)
LEFT JOIN order_lines l ON l.tenant_id = (SELECT app_tenant())
  AND l.day = k.day AND l.location = k.location AND l.product = k.product
GROUP BY k.day, k.location, k.product
""")
OVER_BY_NOW: Final = text("""
SELECT DISTINCT day, location, product FROM order_lines
WHERE tenant_id = app_tenant() AND day > :after AND day <= :through
""")

Key = tuple[date, str, str]
"""A day, a location and a product."""


@dataclass(frozen=True, slots=True)
class Line:
    """So much of a product on a day; less than nothing was taken back."""

    location: str
    product: str
    day: date
    quantity: float


@dataclass(frozen=True, slots=True)
class Order:
    """What an order amounts to by now: without lines it is as if it had never been."""

    id: str
    lines: tuple[Line, ...]


def days_over(run: Run, options: TillOptions) -> date:
    """The last day that is over at every location."""
    zones = {run.connected.zone, *(each.zone for each in run.connected.locations)}
    return min(business_day(run.now, zone, options.day_begins_at) for zone in zones) - ONE


async def keep_orders(
    session: AsyncSession, run: Run, orders: Sequence[Order], over: date, current: Pass
) -> int:
    """Write a page of orders, and the days they touch as `POST /sales` would; returns how many
    orders. With the last page also the days that have ended since the last pass."""
    first = _first_whole(run)
    kept = {order.id: _from(order, first) for order in orders}  # of two the later holds
    touched = await _replace(session, list(kept.values()))
    counted = run.state.get(COUNTED)
    if current.cursor is None and counted is not None:
        values = {"after": date.fromisoformat(counted), "through": over}
        touched |= {tuple(row) for row in await session.execute(OVER_BY_NOW, values)}
    await _count_again(session, run, {key for key in touched if first <= key[0] <= over})
    return len(kept)


def counted_through(run: Run, over: date, current: Pass) -> dict[str, Any]:
    """The part of the state that says which days have been counted as over."""
    before = run.state.get(COUNTED)
    return {COUNTED: over.isoformat() if current.cursor is None or before is None else before}


def _first_whole(run: Run) -> date:
    """The first day of which all lines are known, or will be."""
    options, settled = run.connected.options, run.state.get(SETTLED)
    assert isinstance(options, TillOptions)
    return max(
        options.since or date.min, date.min if settled is None else date.fromisoformat(settled)
    )


def _from(order: Order, first: date) -> Order:
    return replace(order, lines=tuple(line for line in order.lines if line.day >= first))


async def _replace(session: AsyncSession, orders: Sequence[Order]) -> set[Key]:
    """Each order's lines in place of those it had; every key that was or is one of theirs."""
    gone = await session.execute(FORGET, {"orders": [order.id for order in orders]})
    touched: set[Key] = {(row.day, row.location, row.product) for row in gone}
    sums = {order.id: _summed(order.lines) for order in orders}
    rows = [(order, key, quantity) for order, of in sums.items() for key, quantity in of.items()]
    touched |= {key for _, key, _ in rows}
    columns: Mapping[str, list[Any]] = {
        "order_id": [order for order, _, _ in rows],
        "day": [key[0] for _, key, _ in rows],
        "location": [key[1] for _, key, _ in rows],
        "product": [key[2] for _, key, _ in rows],
        "quantity": [quantity for _, _, quantity in rows],
    }
    if rows:
        await session.execute(KEEP, columns)
    return touched


def _summed(lines: Sequence[Line]) -> dict[Key, float]:
    found: dict[Key, float] = {}
    for line in lines:
        key = (line.day, line.location, line.product)
        found[key] = found.get(key, 0.0) + line.quantity
    too_large = next((key for key, quantity in found.items() if abs(quantity) > LARGEST), None)
    if too_large is not None:
        raise SourceFault("value_out_of_range", f"an order of more than {LARGEST:g} {too_large[2]}")
    return found


async def _count_again(session: AsyncSession, run: Run, keys: set[Key]) -> None:
    if not keys:
        return
    listed = sorted(keys)
    columns = {
        name: [key[at] for key in listed] for at, name in enumerate(("day", "location", "product"))
    }
    rows = [
        {
            "date": row.day.isoformat(),
            "location": row.location,
            "product": row.product,
            "quantity": round(row.quantity, 6) + 0.0,
        }
        for row in await session.execute(SUMS, columns)
    ]
    await store_sales(
        session, check_sales(frame_of(rows), run.now.date()), run.connected.most_series
    )
