"""A queue on a real database, as its two roles see it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.training import tables
from services.training.queue.claim import USUAL, Rules, claim_tasks
from services.training.queue.enqueue import NewTask, enqueue
from services.training.queue.finish import finish
from services.training.queue.task import Claim, Priority, State
from shared.database import PoolLimits, Sessions, make_engine, make_sessions, tenant_transaction
from shared.roles import API, WORKER
from tests.conftest import Database

LEASE = timedelta(seconds=30)
EXPIRED = timedelta(seconds=-1)


@dataclass(frozen=True)
class Queue:
    """`sessions` are the worker's, `asking` those of the API that puts tasks in."""

    engine: AsyncEngine
    sessions: Sessions
    asking: Sessions

    async def tenant(self) -> UUID:
        tenant_id = uuid4()
        async with tenant_transaction(self.asking, tenant_id) as session:
            session.add(
                tables.Tenant(
                    tenant_id=tenant_id,
                    name="a bakery",
                    slug=tenant_id.hex,
                    country="DE",
                    timezone="Europe/Berlin",
                    plan="standard",
                )
            )
        return tenant_id

    async def put(self, tenant_id: UUID, count: int = 1, **values: Any) -> list[int]:
        async with tenant_transaction(self.asking, tenant_id) as session:
            return await enqueue(session, tenant_id, [new_task(**values) for _ in range(count)])

    async def put_one(self, tenant_id: UUID, **values: Any) -> int:
        [task_id] = await self.put(tenant_id, **values)
        return task_id

    async def claim(
        self,
        slots: int = 1,
        lease: timedelta = LEASE,
        worker: str = "w1",
        kind: str = "bake",
        rules: Rules = USUAL,
    ) -> list[Claim]:
        return await claim_tasks(self.engine, worker, [kind], slots, lease, rules)

    async def claim_one(self, lease: timedelta = LEASE, worker: str = "w1") -> Claim:
        [claim] = await self.claim(1, lease, worker)
        return claim

    async def grant(self, tenant_id: UUID, **terms: float) -> None:
        async with tenant_transaction(self.asking, tenant_id) as session:
            await session.merge(tables.QueueTerms(tenant_id=tenant_id, **terms))

    async def end(self, claim: Claim) -> None:
        async with tenant_transaction(self.sessions, claim.tenant_id) as session:
            await finish(session, claim, State.SUCCEEDED)

    async def rows(self, tenant_id: UUID) -> Sequence[tables.Task]:
        async with tenant_transaction(self.asking, tenant_id) as session:
            return (await session.scalars(select(tables.Task).order_by(tables.Task.id))).all()

    async def row(self, tenant_id: UUID, task_id: int) -> tables.Task:
        async with tenant_transaction(self.asking, tenant_id) as session:
            return (
                await session.scalars(select(tables.Task).where(tables.Task.id == task_id))
            ).one()


def new_task(**values: Any) -> NewTask:
    defaults = {
        "group_id": uuid4(),
        "kind": "bake",
        "subject": "a roll",
        "payload": {"secret": "flour"},
        "priority": Priority.INTERACTIVE,
    }
    return NewTask(**(defaults | values))


@asynccontextmanager
async def open_queue(database: Database) -> AsyncIterator[Queue]:
    worker = make_engine(database.worker_dsn, WORKER, PoolLimits(size=4), "test-worker")
    api = make_engine(database.api_dsn, API, PoolLimits(size=4), "test-api")
    yield Queue(worker, make_sessions(worker), make_sessions(api))
    await worker.dispose()
    await api.dispose()


async def until_someone_waits_for_a_lock(queue: Queue) -> None:
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    async with asyncio.timeout(10):
        while True:
            async with queue.engine.connect() as connection:
                if await connection.scalar(waiting):
                    return
            await asyncio.sleep(0.01)
