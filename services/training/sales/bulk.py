"""Many rows in and out of the database within a session's own transaction."""

import io
from collections.abc import AsyncIterator, Mapping
from typing import cast

import asyncpg
import numpy as np
import numpy.typing as npt
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.sales.binary_copy import Column, Number, decode_rows, encode_rows


async def copy_in(session: AsyncSession, table: str, columns: Mapping[str, Column]) -> None:
    """COPY these columns into a temporary table (row-level security refuses any other)."""
    driver = await _driver(session)
    await driver.copy_to_table(
        table,
        source=_parts(columns),
        columns=list(columns),
        format="binary",
        schema_name="pg_temp",
    )


async def _parts(columns: Mapping[str, Column]) -> AsyncIterator[bytes]:
    for part in encode_rows(columns):
        yield part


async def copy_out(
    session: AsyncSession, query: str, columns: Mapping[str, type[Number]], *arguments: object
) -> "npt.NDArray[np.void]":
    """The rows of `query` ($1, $2, ... are `arguments`), whose columns are of these types."""
    driver = await _driver(session)
    buffer = io.BytesIO()
    await driver.copy_from_query(query, *arguments, output=buffer, format="binary")
    return decode_rows(buffer.getvalue(), columns)


async def _driver(session: AsyncSession) -> "asyncpg.Connection[asyncpg.Record]":
    connection = await session.connection()
    raw = await connection.get_raw_connection()
    return cast("asyncpg.Connection[asyncpg.Record]", raw.driver_connection)
