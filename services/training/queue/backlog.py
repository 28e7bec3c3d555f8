"""How much of a tenant's waits in the queue."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.training import tables
from services.training.queue.task import WAITS


async def count_backlog(session: AsyncSession) -> int:
    """The tasks of the session's tenant that nobody works on yet: held, waiting and queued."""
    waits = tables.Task.state.in_([state.value for state in WAITS])
    return await session.scalar(select(func.count()).select_from(tables.Task).where(waits)) or 0
