"""Who writes the logs of the jobs, as a worker does: by the same code, and as the same role."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from random import Random
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.training.jobs.events import EVENTS_CHANNEL, EventType, NewEvent, append
from services.training.jobs.schemas import ENDED, JobStatus
from services.training.jobs.store import end_job, lock_job
from shared.background import running
from shared.database import (
    PoolLimits,
    Sessions,
    connect_directly,
    make_engine,
    make_sessions,
    tenant_transaction,
)
from shared.doorbell import Bell
from shared.outage import DatabaseErrors
from shared.roles import WORKER

AGAIN_SECONDS = 0.1
PAUSE_SECONDS = 0.25
BURSTS = (1, 1, 1, 1, 1, 1, 2, 2, 5, 20)
MOST_PERCENT = 99.0


@dataclass(frozen=True, slots=True)
class Job:
    tenant: UUID
    id: UUID


@dataclass(frozen=True, slots=True)
class Author:
    sessions: Sessions
    bell: Bell

    async def write_on(self, job: Job, random: Random, stop: asyncio.Event) -> None:
        """News of the job, now and then many at once, until told to stop."""
        percent = 0.0
        while not stop.is_set():
            percent = min(MOST_PERCENT, percent + random.random() / 10)
            await self.write(job, random.choice(BURSTS), percent=percent)
            await asyncio.sleep(random.expovariate(1 / PAUSE_SECONDS))

    async def write(
        self, job: Job, count: int, *, message: str = "so far", percent: float = 0.0
    ) -> None:
        event = NewEvent(EventType.PRODUCT_PROGRESS, message, percent=percent)

        async def tell(session: AsyncSession) -> None:
            await append(session, job.id, [event] * count)

        await self._commit(job, tell)
        self.ring(job)

    async def end(self, job: Job) -> None:
        """The last event, for which the doorbell is yet to be rung."""

        async def tell(session: AsyncSession) -> None:
            locked = await lock_job(session, job.id)
            if JobStatus(locked.status) not in ENDED:
                await end_job(session, job.id, JobStatus.SUCCEEDED, "all is done")

        await self._commit(job, tell)

    def ring(self, job: Job) -> None:
        self.bell.ring(EVENTS_CHANNEL, str(job.id))

    async def _commit(self, job: Job, tell: Callable[[AsyncSession], Awaitable[None]]) -> None:
        """For as long as it takes. What was committed without an answer is there twice, as two
        events: the log is what it says."""
        while True:
            try:
                async with tenant_transaction(self.sessions, job.tenant) as session:
                    await tell(session)
            except DatabaseErrors:
                await asyncio.sleep(AGAIN_SECONDS)
            else:
                return


@asynccontextmanager
async def author_on(dsn: str) -> AsyncIterator[Author]:
    engine = make_engine(dsn, WORKER, PoolLimits(size=4), "faults-author")
    bell = Bell(partial(connect_directly, dsn, WORKER, "faults-author-bell"))
    try:
        async with running(bell.run()):
            yield Author(make_sessions(engine), bell)
    finally:
        await engine.dispose()
