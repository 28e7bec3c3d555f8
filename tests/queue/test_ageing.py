"""The classes are served in their order, but nobody waits for ever behind those before."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import update

from services.training import tables
from services.training.queue.task import Priority
from shared.database import tenant_transaction
from tests.queue.real_queue import Queue

A_TURN = 5


async def served(queue: Queue, tenant_id: UUID, count: int) -> list[Priority]:
    classes = []
    for _ in range(count):
        claim = await queue.claim_one()
        classes.append(Priority((await queue.row(tenant_id, claim.id)).priority))
        await queue.end(claim)
    return classes


async def grow_old(queue: Queue, tenant_id: UUID, priority: Priority, by: timedelta) -> None:
    async with tenant_transaction(queue.asking, tenant_id) as session:
        await session.execute(
            update(tables.Task)
            .where(tables.Task.priority == int(priority))
            .values(created_at=tables.Task.created_at - by)
        )


async def test_backfill_that_waited_too_long_overtakes_within_five_claims(
    queue: Queue, tenant_id: UUID
) -> None:
    await queue.put(tenant_id, 1, priority=Priority.BACKFILL)
    await queue.put(tenant_id, 20)
    await grow_old(queue, tenant_id, Priority.BACKFILL, timedelta(hours=2))
    assert Priority.BACKFILL in await served(queue, tenant_id, A_TURN)


async def test_it_overtakes_nobody_before_its_time(queue: Queue, tenant_id: UUID) -> None:
    await queue.put(tenant_id, 5, priority=Priority.BACKFILL)
    await queue.put(tenant_id, 20)
    await grow_old(queue, tenant_id, Priority.BACKFILL, timedelta(minutes=59))
    assert set(await served(queue, tenant_id, 20)) == {Priority.INTERACTIVE}


async def test_an_old_backlog_takes_its_turns_and_not_the_whole_queue(
    queue: Queue, tenant_id: UUID
) -> None:
    """Four claims of five remain for whoever waits at a screen."""
    await queue.put(tenant_id, 300, priority=Priority.BACKFILL)
    await queue.put(tenant_id, 60)
    await grow_old(queue, tenant_id, Priority.BACKFILL, timedelta(days=3))
    assert (await served(queue, tenant_id, 50)).count(Priority.BACKFILL) == 10


async def test_two_overdue_classes_share_those_turns(queue: Queue, tenant_id: UUID) -> None:
    for priority in Priority:
        await queue.put(tenant_id, 60, priority=priority)
        await grow_old(queue, tenant_id, priority, timedelta(days=priority.value))
    order = await served(queue, tenant_id, 40)
    assert order.count(Priority.SCHEDULED) == order.count(Priority.BACKFILL) == 4


async def test_what_overtakes_is_the_next_of_its_class_in_fair_order(
    queue: Queue, tenant_id: UUID
) -> None:
    first, *_ = await queue.put(tenant_id, 20, priority=Priority.BACKFILL)
    await queue.put(tenant_id, 20)
    await grow_old(queue, tenant_id, Priority.BACKFILL, timedelta(hours=2))
    claims = [await queue.claim_one() for _ in range(A_TURN)]
    assert first in {claim.id for claim in claims}


async def test_with_nothing_before_it_no_turn_is_needed(queue: Queue, tenant_id: UUID) -> None:
    await queue.put(tenant_id, 4, priority=Priority.BACKFILL)
    assert await served(queue, tenant_id, 4) == [Priority.BACKFILL] * 4
