"""The record of syncs: asked for, begun, counted as they go on, ended."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.sources.kinds import SourceName
from services.training.sources.schemas import OPEN, Cause, SyncStatus
from services.training.tables import Source, SourceSync

OPEN_VALUES = [status.value for status in OPEN]


async def add_sync(
    session: AsyncSession, tenant_id: UUID, sync_id: UUID, source: Source, cause: Cause
) -> None:
    session.add(
        SourceSync(
            tenant_id=tenant_id,
            id=sync_id,
            source=source.source,
            kind=source.kind,
            cause=cause.value,
            status=SyncStatus.QUEUED.value,
        )
    )
    await session.flush()


async def read_sync(session: AsyncSession, name: SourceName, sync_id: UUID) -> SourceSync | None:
    return await session.scalar(
        select(SourceSync).where(SourceSync.id == sync_id, SourceSync.source == name.value)
    )


async def queued_sync(session: AsyncSession, name: SourceName) -> UUID | None:
    """One that waits to begin, and so will see all that there is by then."""
    return await session.scalar(
        select(SourceSync.id)
        .where(
            SourceSync.source == name.value,
            SourceSync.status == SyncStatus.QUEUED.value,
            SourceSync.cause != Cause.JOB.value,
        )
        .order_by(SourceSync.created_at)
        .limit(1)
    )


async def last_syncs(session: AsyncSession) -> dict[SourceName, SourceSync]:
    """Of each source the one that was begun last."""
    found: Sequence[SourceSync] = (
        await session.scalars(
            select(SourceSync)
            .ext(distinct_on(SourceSync.source))
            .order_by(SourceSync.source, SourceSync.created_at.desc(), SourceSync.id)
        )
    ).all()
    return {SourceName(each.source): each for each in found}


async def begin_sync(session: AsyncSession, sync_id: UUID) -> None:
    """It runs; one that is taken up again after its worker died has begun already."""
    await session.execute(
        update(SourceSync)
        .where(SourceSync.id == sync_id)
        .values(
            status=SyncStatus.RUNNING.value,
            started_at=func.coalesce(SourceSync.started_at, func.now()),
        )
    )


async def count_page(session: AsyncSession, sync_id: UUID, rows: int) -> None:
    await session.execute(
        update(SourceSync)
        .where(SourceSync.id == sync_id)
        .values(pages=SourceSync.pages + 1, rows=SourceSync.rows + rows)
    )


async def end_sync(
    session: AsyncSession,
    sync_id: UUID,
    warnings: Sequence[dict[str, Any]],
    error: dict[str, Any] | None,
) -> SourceSync | None:
    """End it, as failed where there is an error; one that has ended stays as it is."""
    ended = await session.scalars(
        update(SourceSync)
        .where(SourceSync.id == sync_id, SourceSync.status.in_(OPEN_VALUES))
        .values(
            status=(SyncStatus.FAILED if error else SyncStatus.SUCCEEDED).value,
            warnings=list(warnings),
            error=error,
            finished_at=func.now(),
        )
        .returning(SourceSync)
        .execution_options(populate_existing=True)
    )
    return ended.one_or_none()
