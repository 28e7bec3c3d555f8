"""A cancellation that meets the job's own steps halfway."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import text

from services.training.jobs.cancel import cancel_job
from services.training.jobs.collect import collect, validate
from services.training.jobs.fan_out import fan_out, put_in
from services.training.jobs.prepare import start
from services.training.jobs.schemas import TrainingRequest
from services.training.jobs.snapshot import snapshot
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


async def read(workshop: Workshop, task: ClaimedTask, request: TrainingRequest) -> list[NewTask]:
    """What the task would put in."""
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
    await put_in(workshop, task, await read(workshop, task, request))
    async with tenant_transaction(sessions, shop.id) as session:
        await session.execute(
            text("SELECT 1 FROM jobs WHERE id = :id FOR UPDATE"), {"id": UUID(job["id"])}
        )
        fanning_out = asyncio.create_task(fan_out(workshop, task, request, None))
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


async def test_what_is_cancelled_between_two_batches_puts_in_no_more_and_trains_nothing(
    shop: Tenant, workshop: Workshop
) -> None:
    job = await ask(shop.client)
    [task] = await claim(workshop, PREPARE)
    request = await start(workshop, task)
    first, second = await read(workshop, task, request)
    await put_in(workshop, task, [first])
    answer = await shop.client.post(f"/api/v1/training-jobs/{job['id']}/cancel")
    assert answer.json()["products"]["cancelled"] == answer.json()["products"]["total"] == 1
    with pytest.raises(StalePublish):
        await put_in(workshop, task, [second])
    with pytest.raises(StalePublish):
        await fan_out(workshop, task, request, None)
    assert await claim(workshop, TRAIN) == []
    left = await read_job(shop.client, job["id"])
    assert (left["status"], left["products"]["total"]) == ("cancelled", 1)
    check_log(await events_of(shop.client, job["id"]))
