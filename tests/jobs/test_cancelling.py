"""A cancellation that meets the job's own steps halfway."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text

from services.training.jobs.cancel import cancel_job
from services.training.jobs.collect import collect, validate
from services.training.jobs.fan_out import fan_out, snapshot
from services.training.jobs.prepare import start
from services.training.jobs.schemas import TrainingRequest
from services.training.jobs.store import PREPARE, TRAIN
from services.training.jobs.workshop import SlotPool, Workshop
from services.training.queue.claim import claim_tasks, read_claimed
from services.training.queue.enqueue import NewTask
from services.training.queue.locks import AdvisoryLocks
from services.training.queue.task import ClaimedTask, StalePublish
from shared.artifacts import open_store
from shared.database import (
    PoolLimits,
    Sessions,
    connect_directly,
    make_engine,
    make_sessions,
    tenant_transaction,
)
from shared.doorbell import Bell
from shared.roles import WORKER
from tests.conftest import Database, Tenant, settings_for
from tests.jobs.asking import ask, check_log, events_of, read_job

LEASE = timedelta(minutes=5)


@pytest.fixture
async def workshop(database: Database, tmp_path: Path) -> AsyncIterator[Workshop]:
    """A worker's tools, with nobody at work but the test."""
    engine = make_engine(database.worker_dsn, WORKER, PoolLimits(size=4), "test-worker")
    connect = partial(connect_directly, database.worker_dsn, WORKER, "test-worker")
    settings = settings_for(database.worker_dsn, tmp_path)
    yield Workshop(
        settings=settings,
        sessions=make_sessions(engine),
        artifacts=open_store(settings.model_root()),
        locks=AdvisoryLocks(connect, LEASE),
        slots=SlotPool([]),
        bell=Bell(connect),
    )
    await engine.dispose()


async def claim(workshop: Workshop, kind: str) -> list[ClaimedTask]:
    claims = await claim_tasks(workshop.sessions.kw["bind"], "w", [kind], 100, LEASE)
    tasks = []
    for one in claims:
        async with tenant_transaction(workshop.sessions, one.tenant_id) as session:
            tasks.append(await read_claimed(session, one))
    return tasks


async def prepared(
    workshop: Workshop, task: ClaimedTask, request: TrainingRequest
) -> list[NewTask]:
    """What the task would fan out to."""
    tasks: list[NewTask] = []
    async for collected in collect(workshop, task, request):
        tasks += await snapshot(workshop, task, request, validate(workshop, collected))
    return tasks


async def until_someone_waits_for_a_lock(sessions: Sessions) -> None:
    async with asyncio.timeout(10):
        while True:
            async with tenant_transaction(sessions, UUID(int=1)) as session:
                if await session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
                    return
            await asyncio.sleep(0.01)


async def test_a_job_that_is_cancelled_while_it_starts_stays_cancelled(
    shop: Tenant, workshop: Workshop, sessions: Sessions
) -> None:
    job = await ask(shop.client)
    [task] = await claim(workshop, PREPARE)
    async with tenant_transaction(sessions, shop.id) as session:
        await cancel_job(session, UUID(job["id"]))
        starting = asyncio.create_task(start(workshop, task))
        await until_someone_waits_for_a_lock(sessions)
    await starting
    assert (await read_job(shop.client, job["id"]))["status"] == "cancelled"
    events = await events_of(shop.client, job["id"])
    check_log(events)
    assert events[-1]["type"] == "job.finished"


async def test_a_job_that_is_cancelled_while_it_fans_out_trains_nothing(
    shop: Tenant, workshop: Workshop, sessions: Sessions
) -> None:
    job = await ask(shop.client)
    [task] = await claim(workshop, PREPARE)
    request = await start(workshop, task)
    (collected,) = [batch async for batch in collect(workshop, task, request)]
    tasks = await snapshot(workshop, task, request, validate(workshop, collected))
    async with tenant_transaction(sessions, shop.id) as session:
        await session.execute(
            text("SELECT 1 FROM jobs WHERE id = :id FOR UPDATE"), {"id": UUID(job["id"])}
        )
        fanning_out = asyncio.create_task(fan_out(workshop, task, tasks))
        await until_someone_waits_for_a_lock(sessions)
        cancelling = asyncio.create_task(
            shop.client.post(f"/api/v1/training-jobs/{job['id']}/cancel")
        )
        async with asyncio.timeout(10):
            while await waiting(sessions) < 2:
                await asyncio.sleep(0.01)
    await fanning_out
    assert (await cancelling).json()["products"]["cancelled"] == 2
    assert await claim(workshop, TRAIN) == []
    events = await events_of(shop.client, job["id"])
    check_log(events)
    assert [event["type"] for event in events][-3:] == [
        "product.cancelled",
        "product.cancelled",
        "job.finished",
    ]


async def waiting(sessions: Sessions) -> int:
    async with tenant_transaction(sessions, UUID(int=1)) as session:
        count = await session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted"))
        return count or 0


async def test_what_was_cancelled_before_it_fanned_out_fans_out_no_more(
    shop: Tenant, workshop: Workshop
) -> None:
    job = await ask(shop.client)
    [task] = await claim(workshop, PREPARE)
    request = await start(workshop, task)
    (collected,) = [batch async for batch in collect(workshop, task, request)]
    tasks = await snapshot(workshop, task, request, validate(workshop, collected))
    await shop.client.post(f"/api/v1/training-jobs/{job['id']}/cancel")
    with pytest.raises(StalePublish):
        await fan_out(workshop, task, tasks)
    assert await claim(workshop, TRAIN) == []
    assert (await read_job(shop.client, job["id"]))["products"]["total"] == 0
