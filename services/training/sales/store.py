"""Sales into the database: new rows in, changed ones replaced, corrections kept."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from sqlalchemy import CursorResult, TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.metering.usage import Kind, meter
from services.training.sales.binary_copy import DATE_EPOCH, Column
from services.training.sales.bulk import copy_in
from services.training.sales.cells import NULL
from services.training.sales.days import Ints
from services.training.sales.growth import count_growth
from services.training.sales.regressors import merge_regressors
from services.training.sales.sales_rows import SalesRows
from services.training.sales.schemas import ImportReceipt
from services.training.sales.series_ids import find_or_make_series

MAKE_STAGE: Final = text(
    "CREATE TEMPORARY TABLE incoming_sales (series_id bigint, date date, quantity float8, "
    "price float8, promotion float8, stockout smallint, open smallint) ON COMMIT DROP"
)
COLUMNS: Final = "quantity, price, promotion, stockout, open"
INCOMING: Final = (
    "SELECT series_id, date, nullif(quantity, 'NaN') AS quantity, nullif(price, 'NaN') AS price, "
    "nullif(promotion, 'NaN') AS promotion, nullif(stockout, -1)::int::boolean AS stockout, "
    "nullif(open, -1)::int::boolean AS open FROM pg_temp.incoming_sales"
)
SAME_KEY: Final = (
    "s.tenant_id = (SELECT app_tenant()) AND s.series_id = i.series_id AND s.date = i.date"
)
KEEP_CORRECTIONS: Final = text(
    "INSERT INTO sale_corrections (tenant_id, series_id, date, quantity_before, quantity_after) "  # noqa: S608 - ours
    "SELECT s.tenant_id, s.series_id, s.date, s.quantity, i.quantity "
    f"FROM ({INCOMING}) i JOIN sales s ON {SAME_KEY} "
    "WHERE s.quantity IS NOT NULL AND s.quantity IS DISTINCT FROM i.quantity"
)
REPLACE: Final = text(
    "UPDATE sales s SET "  # noqa: S608 - constants
    + ", ".join(f"{name} = i.{name}" for name in COLUMNS.split(", "))
    + f", updated_at = now() FROM ({INCOMING}) i WHERE {SAME_KEY} AND ("
    + " OR ".join(f"s.{name} IS DISTINCT FROM i.{name}" for name in COLUMNS.split(", "))
    + ")"
)
MISSING: Final = f" WHERE NOT EXISTS (SELECT FROM sales s WHERE {SAME_KEY})"


async def store_sales(
    session: AsyncSession, rows: SalesRows, most_series: int | None
) -> ImportReceipt:
    """Write every row, the last word on its key; what is sent again unchanged is left alone.

    A row replaces the whole row of its key, so that a field left out becomes unknown; its named
    regressors alone are merged into what is known of the day.
    """
    if not len(rows.keys.day):
        return ImportReceipt(received=rows.received, inserted=0, updated=0, unchanged=0)
    series = await find_or_make_series(session, rows.keys.places, most_series)
    await session.execute(MAKE_STAGE)
    columns = _columns(rows, series.ids)
    await copy_in(session, "incoming_sales", columns)
    await count_growth(session, all_new=series.all_new)
    updated = 0
    if not series.all_new:
        await session.execute(KEEP_CORRECTIONS)
        updated = await _count(session, REPLACE)
    inserted = await _count(session, _insert(columns, all_new=series.all_new))
    await merge_regressors(session, rows.keys, rows.regressors)
    await meter(session, {Kind.ROWS: rows.received})
    return ImportReceipt(
        received=rows.received,
        inserted=inserted,
        updated=updated,
        unchanged=rows.received - inserted - updated,
    )


def _insert(columns: Mapping[str, Column], *, all_new: bool) -> TextClause:
    """Of a million rows each expression costs a tenth of a second: only of columns that came, and
    (SELECT app_tenant()), which is evaluated once, where app_tenant() would be for every row."""
    names = ", ".join(columns)
    insert = (
        f"INSERT INTO sales (tenant_id, {names}) "  # noqa: S608 - the names of our own columns
        f"SELECT (SELECT app_tenant()), {names} FROM ({INCOMING}) i"
    )
    return text(insert if all_new else insert + MISSING)


async def _count(session: AsyncSession, statement: TextClause) -> int:
    result = await session.execute(statement)
    assert isinstance(result, CursorResult)
    return result.rowcount


def _columns(rows: SalesRows, ids: Ints) -> dict[str, Column]:
    """What the stage takes, in the order of the index; columns that are all null stay away."""
    series = ids[rows.keys.place]
    order = np.argsort(series, kind="stable")
    columns: dict[str, Column] = {
        "series_id": series[order],
        "date": (rows.keys.day[order] - DATE_EPOCH).astype(np.int32),
    }
    for name in ("quantity", "price", "promotion"):
        values = getattr(rows, name)
        if not np.isnan(values).all():
            columns[name] = values[order]
    for name in ("stockout", "open"):
        flags = getattr(rows, name)
        if (flags != NULL).any():
            columns[name] = flags[order]
    return columns
