"""The log of a job: numbered without gaps, never going back, whoever writes at the same time."""

import asyncio
import contextlib
import random
from uuid import UUID

from sqlalchemy import select

from services.training import tables
from services.training.jobs.events import EventType, NewEvent, append, read_events
from shared.database import Sessions, tenant_transaction
from tests.conftest import Tenant
from tests.jobs.asking import ask, check_log, events_of, read_job


def progress(percent: float) -> NewEvent:
    return NewEvent(EventType.PRODUCT_PROGRESS, f"at {percent}", percent=percent)


async def test_events_written_at_the_same_time_leave_no_gap(
    shop: Tenant, sessions: Sessions
) -> None:
    job_id = UUID((await ask(shop.client))["id"])
    dice = random.Random(7)

    async def write(count: int) -> None:
        async with tenant_transaction(sessions, shop.id) as session:
            events = [progress(dice.uniform(0, 99)) for _ in range(count)]
            await append(session, job_id, events)

    await asyncio.gather(*(write(1 + number % 3) for number in range(40)))
    events = await events_of(shop.client, str(job_id))
    check_log(events)
    assert len(events) == 1 + sum(1 + number % 3 for number in range(40))
    job = await read_job(shop.client, str(job_id))
    assert round(job["percent"], 2) == events[-1]["percent"]


async def test_what_was_rolled_back_left_no_gap(shop: Tenant, sessions: Sessions) -> None:
    job_id = UUID((await ask(shop.client))["id"])
    with contextlib.suppress(RuntimeError):
        async with tenant_transaction(sessions, shop.id) as session:
            await append(session, job_id, [progress(50), progress(60)])
            raise RuntimeError("after all not")
    async with tenant_transaction(sessions, shop.id) as session:
        await append(session, job_id, [progress(10)])
    events = await events_of(shop.client, str(job_id))
    check_log(events)
    assert [event["percent"] for event in events] == [0, 10]


async def test_a_percent_behind_the_last_is_lifted_to_it(shop: Tenant, sessions: Sessions) -> None:
    job_id = UUID((await ask(shop.client))["id"])
    async with tenant_transaction(sessions, shop.id) as session:
        await append(session, job_id, [progress(40), progress(20), progress(70.123456)])
    async with tenant_transaction(sessions, shop.id) as session:
        await append(session, job_id, [progress(30)])
    percents = [event["percent"] for event in await events_of(shop.client, str(job_id))]
    assert percents == [0, 40, 40, 70.12, 70.12]


async def test_a_page_holds_at_most_a_thousand(shop: Tenant, sessions: Sessions) -> None:
    job_id = UUID((await ask(shop.client))["id"])
    async with tenant_transaction(sessions, shop.id) as session:
        await append(session, job_id, [progress(1)] * 1200)
    first = await events_of(shop.client, str(job_id))
    rest = await events_of(shop.client, str(job_id), since=first[-1]["seq"])
    assert (len(first), len(rest)) == (1000, 201)
    check_log(first + rest)


async def test_the_wall_hides_the_log(shop: Tenant, sessions: Sessions) -> None:
    job_id = UUID((await ask(shop.client))["id"])
    async with tenant_transaction(sessions, UUID(int=1)) as session:
        assert await read_events(session, job_id, 0) == []
        assert (await session.scalars(select(tables.JobEvent))).all() == []
