"""How much of a tenant's waits in the queue."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import and_, func, not_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.training import tables
from services.training.queue.task import WAITS, State


async def count_backlog(session: AsyncSession, apart_from: Sequence[UUID] = ()) -> int:
    """The tasks of the session's tenant that nobody works on yet: held, waiting and queued; but for
    what is held in the groups `apart_from`."""
    waits = tables.Task.state.in_([state.value for state in WAITS])
    apart = and_(
        tables.Task.state == State.HELD.value,
        tables.Task.group_id.in_(apart_from),
    )
    counted = select(func.count()).select_from(tables.Task).where(waits, not_(apart))
    return await session.scalar(counted) or 0
