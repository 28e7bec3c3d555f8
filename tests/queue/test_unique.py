"""Of a tenant's tasks with the same key one runs at a time; the others wait, and take no slot."""

import asyncio
from datetime import timedelta
from uuid import UUID

from sqlalchemy import update

from services.training import tables
from services.training.queue.finish import cancel_group, put_back
from services.training.queue.task import Claim
from shared.database import tenant_transaction
from tests.queue.real_queue import EXPIRED, Queue


async def test_two_tasks_of_a_key_run_one_after_the_other(queue: Queue, tenant_id: UUID) -> None:
    first, second = await queue.put(tenant_id, 2, unique_key="roll")
    [running] = await queue.claim(slots=5)
    assert running.id == first
    assert await queue.claim(slots=5) == []
    await queue.end(running)
    await pass_time(queue, tenant_id)
    assert [claim.id for claim in await queue.claim(slots=5)] == [second]


async def test_who_waits_for_its_key_burns_no_attempt_and_no_slot(
    queue: Queue, tenant_id: UUID
) -> None:
    await queue.put(tenant_id, 1, unique_key="roll")
    waits = await queue.put_one(tenant_id, unique_key="roll")
    other = await queue.put_one(tenant_id, unique_key="bun")
    await queue.claim_one()
    assert [claim.id for claim in await queue.claim(slots=1)] == [other]
    for _ in range(3):
        assert await queue.claim(slots=9) == []
        await pass_time(queue, tenant_id)
    row = await queue.row(tenant_id, waits)
    assert (row.attempt, row.fence, row.worker, row.started_at) == (0, 0, None, None)


async def test_a_crowd_of_the_same_key_hides_nothing_behind_it(
    queue: Queue, tenant_id: UUID
) -> None:
    await queue.put(tenant_id, 200, unique_key="roll")
    last = await queue.put_one(tenant_id, unique_key="bun")
    await queue.claim_one()
    assert [claim.id for claim in await queue.claim(slots=1)] == [last]


async def test_claimers_at_the_same_time_run_a_key_once(queue: Queue, tenant_id: UUID) -> None:
    for key in ("roll", "bun", "rye"):
        await queue.put(tenant_id, 12, unique_key=key)
    for _ in range(6):
        rounds = (queue.claim(slots=4, worker=f"w{at}") for at in range(8))
        claims = [claim for claimed in await asyncio.gather(*rounds) for claim in claimed]
        keys = [(await queue.row(tenant_id, claim.id)).unique_key for claim in claims]
        assert len(keys) == len(set(keys))
        assert len(keys) >= 1
        for claim in claims:
            await queue.end(claim)
        await pass_time(queue, tenant_id)


async def test_a_key_is_the_tenants_own(queue: Queue, tenant_id: UUID) -> None:
    other = await queue.tenant()
    for each in (tenant_id, other):
        await queue.put(each, unique_key="roll")
    assert len(await queue.claim(slots=5)) == 2


async def test_tasks_without_a_key_know_no_such_wait(queue: Queue, tenant_id: UUID) -> None:
    await queue.put(tenant_id, 3)
    assert len(await queue.claim(slots=5)) == 3


async def test_a_key_whose_holder_was_lost_or_gave_it_back_is_free(
    queue: Queue, tenant_id: UUID
) -> None:
    first, second = await queue.put(tenant_id, 2, unique_key="roll")
    assert (await queue.claim_one(EXPIRED)).id == first
    again = await queue.claim_one()
    assert again.id == first
    await give_back(queue, again)
    assert (await queue.claim_one()).id == second


async def test_what_waits_is_cancelled_with_its_group(queue: Queue, tenant_id: UUID) -> None:
    await queue.put(tenant_id, unique_key="roll")
    waits = await queue.put_one(tenant_id, unique_key="roll")
    await queue.claim(slots=5)
    assert await queue.claim(slots=5) == []
    row = await queue.row(tenant_id, waits)
    assert row.state == "waiting"
    async with tenant_transaction(queue.asking, tenant_id) as session:
        assert await cancel_group(session, row.group_id) == [waits]


async def give_back(queue: Queue, claim: Claim) -> None:
    async with tenant_transaction(queue.sessions, claim.tenant_id) as session:
        await put_back(session, claim, timedelta(seconds=60), burn_attempt=False)


async def pass_time(queue: Queue, tenant_id: UUID) -> None:
    """As if those that wait had waited."""
    async with tenant_transaction(queue.asking, tenant_id) as session:
        await session.execute(
            update(tables.Task).values(run_after=tables.Task.run_after - timedelta(seconds=5))
        )
