"""How far a job is: the share of its work that is done."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.training import tables
from services.training.jobs.schemas import ProductCounts
from services.training.jobs.store import POOL
from services.training.queue.task import OPEN

UNTIL_IT_ENDS = 99.0


@dataclass(frozen=True, slots=True)
class Work:
    """In costs of tasks: a series takes one, the pool that comes before them what it costs."""

    total: float
    done: float

    def percent(self, part: float = 0.0) -> float:
        """What is done, with `part` of a task that is under way; 99 until the job ends."""
        return UNTIL_IT_ENDS * (self.done + part) / self.total if self.total else 0.0


async def measure_work(session: AsyncSession, job_id: UUID, counts: ProductCounts) -> Work:
    pool = await session.execute(
        select(tables.Task.cost, tables.Task.state).where(
            tables.Task.group_id == job_id, tables.Task.kind == POOL
        )
    )
    work = Work(counts.total, counts.ended)
    for cost, state in pool:
        work = Work(work.total + cost, work.done + (0 if state in OPEN else cost))
    return work
