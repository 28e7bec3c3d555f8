"""A cancellation that meets the job's own steps halfway."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import text

from services.training.jobs.cancel import cancel_job
from services.training.jobs.collect import collect, validate
from services.training.jobs.fan_out import fan_out, snapshot
from services.training.jobs.prepare import start
from services.training.jobs.schemas import TrainingRequest
from services.training.jobs.store import PREPARE, TRAIN
from services.training.jobs.workshop import Workshop
from services.training.queue.enqueue import NewTask
from services.training.queue.task import ClaimedTask, StalePublish
from shared.database import (
    Sessions,
    tenant_transaction,
)
from tests.conftest import Tenant
from tests.jobs.asking import ask, check_log, events_of, read_job
from tests.jobs.claiming import claim


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
