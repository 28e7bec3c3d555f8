"""Sales out again, a few series at a time, so that no export is ever held as a whole."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import numpy as np
import pyarrow as pa

from services.training.sales.assemble import SeriesKey
from services.training.sales.export_formats import SCHEMA, Writer
from services.training.sales.snapshot import list_series
from services.training.sales.stored_days import VALUES, StoredDays, read_stored_days
from shared.database import Sessions, tenant_transaction

SERIES_AT_A_TIME: Final = 10


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which sales: None for all of them, days inclusive."""

    products: Sequence[str] | None = None
    locations: Sequence[str] | None = None
    first: dt.date = dt.date.min
    last: dt.date = dt.date.max


async def export_sales(
    sessions: Sessions, tenant_id: UUID, wanted: Wanted, writer: Writer
) -> AsyncIterator[bytes]:
    """The rows in order of location, product and day; each transaction ends before bytes leave."""
    async with tenant_transaction(sessions, tenant_id) as session:
        keys = await list_series(session, wanted.products, wanted.locations)
    for start in range(0, len(keys), SERIES_AT_A_TIME):
        batch = keys[start : start + SERIES_AT_A_TIME]
        async with tenant_transaction(sessions, tenant_id) as session:
            stored = await read_stored_days(
                session, [key.id for key in batch], wanted.first, wanted.last
            )
        yield await asyncio.to_thread(_write, writer, batch, stored)
    yield writer.end()


def _write(writer: Writer, keys: Sequence[SeriesKey], stored: dict[int, StoredDays]) -> bytes:
    there = [_table(key, stored[key.id]) for key in keys if key.id in stored]
    return writer.rows(pa.concat_tables(there)) if there else b""


def _table(key: SeriesKey, stored: StoredDays) -> pa.Table:
    length = len(stored.day)
    columns = {
        "date": pa.array(stored.day.astype(np.int32)).cast(pa.date32()),
        "product": pa.repeat(key.product, length),
        "location": pa.repeat(key.location, length),
    }
    for name in VALUES:
        values = pa.array(stored.values[name], from_pandas=True)  # NaN becomes null
        columns[name] = values.cast(SCHEMA.field(name).type)
    return pa.table(columns, schema=SCHEMA)
