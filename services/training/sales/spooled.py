"""Imports that waited on a disk: read again as they were read, and found good, when they came."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import date
from typing import Final, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from services.training import tables
from services.training.metering.limits import limits_of
from services.training.sales.frame import Frame
from services.training.sales.media import reader_for
from services.training.sales.regressor_rows import RegressorRows, check_regressors
from services.training.sales.regressors import store_regressors
from services.training.sales.sales_rows import SalesRows, check_sales
from services.training.sales.schemas import ImportReceipt
from services.training.sales.store import store_sales
from services.training.spool.batch import Batch
from services.training.spool.replay import Reader, Stored

SALES: Final = "sales"
REGRESSORS: Final = "regressors"
Rows = TypeVar("Rows", SalesRows, RegressorRows)


async def read_sales(batch: Batch) -> Stored:
    rows = await _rows_of(batch, check_sales)

    async def store(session: AsyncSession) -> ImportReceipt:
        tenant = await session.get_one(tables.Tenant, batch.header.tenant_id)
        return await store_sales(session, rows, limits_of(tenant).series)

    return store


async def read_regressors(batch: Batch) -> Stored:
    rows = await _rows_of(batch, check_regressors)

    async def store(session: AsyncSession) -> ImportReceipt:
        return await store_regressors(session, rows)

    return store


READERS: Final[Mapping[str, Reader]] = {SALES: read_sales, REGRESSORS: read_regressors}


async def _rows_of(batch: Batch, check: Callable[[Frame, date], Rows]) -> Rows:
    """Its rows, by the day on which it came: what was a sale of today still is one."""
    header = batch.header

    def read() -> Rows:
        return check(reader_for(header.media_type)(batch.payload), header.received_at.date())

    return await asyncio.to_thread(read)
