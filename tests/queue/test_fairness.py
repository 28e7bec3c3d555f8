"""Start-time fair queueing: a tenant's backlog is its own to wait for."""

from collections import Counter
from uuid import UUID

from services.training.queue.finish import finish
from services.training.queue.task import Priority, State
from shared.database import tenant_transaction
from tests.queue.real_queue import Queue


async def serve(queue: Queue, count: int) -> list[UUID]:
    """Claim and finish one task after the other: whose they were."""
    served = []
    for _ in range(count):
        claim = await queue.claim_one()
        async with tenant_transaction(queue.sessions, claim.tenant_id) as session:
            await finish(session, claim, State.SUCCEEDED)
        served.append(claim.tenant_id)
    return served


async def test_a_single_task_does_not_wait_for_another_tenants_thousand(
    queue: Queue, tenant_id: UUID
) -> None:
    small = await queue.tenant()
    await queue.put(tenant_id, 1000)
    await serve(queue, 10)
    await queue.put(small)
    assert small in await serve(queue, 2)


async def test_tenants_with_backlogs_are_served_in_turn(queue: Queue, tenant_id: UUID) -> None:
    other = await queue.tenant()
    await queue.put(tenant_id, 300)
    await serve(queue, 20)
    await queue.put(other, 300)
    served = Counter(await serve(queue, 40))
    assert abs(served[tenant_id] - served[other]) <= 2


async def test_time_spent_idle_earns_no_credit(queue: Queue, tenant_id: UUID) -> None:
    idle = await queue.tenant()
    await queue.put(idle)
    await serve(queue, 1)
    await queue.put(tenant_id, 200)
    await serve(queue, 100)
    await queue.put(idle, 50)
    served = Counter(await serve(queue, 40))
    assert abs(served[tenant_id] - served[idle]) <= 2


async def test_a_tenant_that_worked_alone_owes_nothing_once_the_queue_was_empty(
    queue: Queue, tenant_id: UUID
) -> None:
    await queue.put(tenant_id, 100)
    await serve(queue, 100)
    newcomer = await queue.tenant()
    await queue.put(newcomer, 20)
    await queue.put(tenant_id, 20)
    served = Counter(await serve(queue, 20))
    assert abs(served[tenant_id] - served[newcomer]) <= 2


async def test_a_weight_of_three_gets_three_turns_of_four(queue: Queue, tenant_id: UUID) -> None:
    heavy = await queue.tenant()
    await queue.grant(heavy, weight=3)
    for each in (tenant_id, heavy):
        await queue.put(each, 100)
    served = Counter(await serve(queue, 60))
    assert abs(served[heavy] - 45) <= 3


async def test_a_backlog_of_one_class_costs_nothing_in_another(
    queue: Queue, tenant_id: UUID
) -> None:
    """A tenant's nightly backfill does not put its own interactive task behind those of others."""
    other = await queue.tenant()
    await queue.put(tenant_id, 500, priority=Priority.BACKFILL)
    await queue.put(other, 30, priority=Priority.INTERACTIVE)
    await queue.put(tenant_id, 1, priority=Priority.INTERACTIVE)
    assert tenant_id in await serve(queue, 3)


async def test_work_of_another_kind_beside_a_backlog_puts_nobody_behind_it(
    queue: Queue, tenant_id: UUID
) -> None:
    """Its place is after all of its tenant's, and it runs at once: in a lane of its own."""
    newcomer = await queue.tenant()
    await queue.put(tenant_id, 100)
    await queue.claim_one()
    await queue.put_one(tenant_id, kind="prepare")
    assert len(await queue.claim(1, kind="prepare")) == 1
    await queue.put_one(newcomer)
    assert newcomer in await serve(queue, 3)
