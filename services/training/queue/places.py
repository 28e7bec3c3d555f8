"""Places in the queue, by start-time fair queueing: `queue_reserve` in the migrations."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.queue.task import Priority

RESERVE = text("SELECT * FROM queue_reserve(CAST(:class AS smallint), :cost)")


@dataclass(slots=True)
class Places:
    """The places of one batch in its priority class: each follows the one before."""

    tag: float
    weight: float

    def give(self, cost: float) -> float:
        given = self.tag
        self.tag += cost / self.weight
        return given


async def reserve_places(session: AsyncSession, priority: Priority, cost: float) -> Places:
    """Places for tasks of the session's tenant that cost so much together."""
    reserved = await session.execute(RESERVE, {"class": int(priority), "cost": cost})
    return Places(*reserved.one())
