"""Receipts in the database: written with what they are of, once."""

import datetime as dt
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.training import tables
from services.training.spool.batch import Header
from services.training.spool.schemas import Refusal, Status
from services.training.spool.shelf import Entry
from services.training.tables import Json, SpoolReceipt

KEPT: Final = dt.timedelta(days=30)
PRUNED_AT_ONCE: Final = 100


async def take_receipt(session: AsyncSession, entry: Entry, header: Header) -> Status | None:
    """Write the receipt of a batch that is about to be applied in this transaction; else what an
    earlier one says became of it. Whoever replays it at the same time waits for this one's end."""
    written = await session.scalar(
        insert(SpoolReceipt)
        .values(
            tenant_id=header.tenant_id,
            id=entry.receipt_id,
            kind=header.kind,
            status=Status.APPLIED,
            received=header.rows,
            bytes=entry.bytes,
            received_at=header.received_at,
        )
        .on_conflict_do_nothing()
        .returning(SpoolReceipt.id)
    )
    if written is not None:
        await _prune(session)
        return None
    earlier = select(SpoolReceipt.status).where(SpoolReceipt.id == entry.receipt_id)
    return Status((await session.scalars(earlier)).one())


async def write_result(session: AsyncSession, receipt_id: UUID, result: Json) -> None:
    """What the batch did."""
    await _set(session, receipt_id, result=result)


async def write_refusal(session: AsyncSession, receipt_id: UUID, refusal: Refusal) -> None:
    """Why the batch did nothing."""
    error = refusal.model_dump(mode="json", exclude_none=True)
    await _set(session, receipt_id, status=Status.REJECTED, error=error)


async def read_receipt(session: AsyncSession, receipt_id: UUID) -> SpoolReceipt | None:
    return await session.scalar(select(SpoolReceipt).where(SpoolReceipt.id == receipt_id))


async def was_erased(session: AsyncSession) -> bool:
    """Whether the session's tenant was here and was erased, or is being; its receipt says so."""
    return await session.scalar(select(tables.Erasure.asked_at)) is not None


async def _set(session: AsyncSession, receipt_id: UUID, **values: object) -> None:
    await session.execute(
        update(SpoolReceipt).where(SpoolReceipt.id == receipt_id).values(**values)
    )


async def _prune(session: AsyncSession) -> None:
    """Forget a few receipts that nobody asks for any more."""
    old = (
        select(SpoolReceipt.id)
        .where(SpoolReceipt.ended_at < func.now() - KEPT)
        .limit(PRUNED_AT_ONCE)
    )
    await session.execute(delete(SpoolReceipt).where(SpoolReceipt.id.in_(old)))
