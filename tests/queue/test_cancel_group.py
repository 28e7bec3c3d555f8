"""Cancelling a group ends all of it that is open, whatever is going on in it."""

import asyncio
from uuid import UUID, uuid4

import pytest

from services.training.queue.claim import renew_leases
from services.training.queue.enqueue import enqueue
from services.training.queue.finish import cancel_group, finish
from services.training.queue.task import StalePublish, State
from shared.database import tenant_transaction
from tests.queue.real_queue import LEASE, Queue, new_task, until_someone_waits_for_a_lock


async def test_what_is_open_is_cancelled_and_what_has_ended_stays(
    queue: Queue, tenant_id: UUID
) -> None:
    group, other = uuid4(), uuid4()
    done, running, waiting = await queue.put(tenant_id, 3, group_id=group)
    apart = await queue.put_one(tenant_id, group_id=other)
    first, second = await queue.claim_one(), await queue.claim_one()
    async with tenant_transaction(queue.sessions, tenant_id) as session:
        await finish(session, first, State.SUCCEEDED)
    async with tenant_transaction(queue.asking, tenant_id) as session:
        cancelled = await cancel_group(session, group)
    assert cancelled == [running, waiting]
    states = [(await queue.row(tenant_id, task)).state for task in (done, running, waiting, apart)]
    assert states == ["succeeded", "cancelled", "cancelled", "queued"]
    assert await renew_leases(queue.engine, [second], LEASE) == frozenset()
    with pytest.raises(StalePublish):
        async with tenant_transaction(queue.sessions, tenant_id) as session:
            await finish(session, second, State.SUCCEEDED)


async def test_tasks_that_are_being_put_in_by_one_that_ends_are_cancelled_too(
    queue: Queue, tenant_id: UUID
) -> None:
    """A task may put others into its group in the very transaction in which it finishes."""
    group = uuid4()
    await queue.put(tenant_id, group_id=group)
    claim = await queue.claim_one()

    async def cancel() -> list[int]:
        async with tenant_transaction(queue.asking, tenant_id) as session:
            return await cancel_group(session, group)

    async with tenant_transaction(queue.sessions, tenant_id) as session:
        await finish(session, claim, State.SUCCEEDED)
        added = await enqueue(session, tenant_id, [new_task(group_id=group) for _ in range(3)])
        cancelling = asyncio.create_task(cancel())
        await until_someone_waits_for_a_lock(queue)
    assert await cancelling == added
    assert await queue.claim(slots=5) == []
