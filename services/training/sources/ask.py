"""Asking for a sync: its record and its task, together."""

from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.training.queue.enqueue import NewTask, enqueue
from services.training.queue.task import Priority
from services.training.sources import syncs
from services.training.sources.schemas import Cause
from services.training.tables import Source

SYNC: Final = "sync"
"""The kind of the task; its group is the sync."""


async def ask_for_sync(
    session: AsyncSession,
    tenant_id: UUID,
    sync_id: UUID,
    source: Source,
    cause: Cause,
    priority: Priority,
) -> None:
    """In the caller's transaction. Of a source's tasks one runs at a time."""
    await syncs.add_sync(session, tenant_id, sync_id, source, cause)
    task = NewTask(
        group_id=sync_id,
        kind=SYNC,
        subject=source.source,
        payload={"source": source.source, "cause": cause.value},
        priority=priority,
        unique_key=f"source {source.source}",
    )
    await enqueue(session, tenant_id, [task])
