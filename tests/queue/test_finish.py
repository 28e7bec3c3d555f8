"""The fence: whoever has lost a task finishes nothing, and leaves nothing behind."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select

from services.training import tables
from services.training.queue.claim import renew_leases
from services.training.queue.finish import finish, note_progress, put_back
from services.training.queue.task import Claim, StalePublish, State
from shared.database import tenant_transaction
from tests.queue.real_queue import EXPIRED, Queue


async def write_and_finish(queue: Queue, claim: Claim, name: str) -> None:
    """Work as publishing does it: effects and the end of the task in one transaction."""
    async with tenant_transaction(queue.sessions, claim.tenant_id) as session:
        session.add(
            tables.AuditEntry(
                tenant_id=claim.tenant_id, actor=name, action="published", subject="s"
            )
        )
        await session.flush()
        await finish(session, claim, State.SUCCEEDED, {"by": name})


async def written_by(queue: Queue, tenant_id: UUID) -> list[str]:
    async with tenant_transaction(queue.sessions, tenant_id) as session:
        return list(await session.scalars(select(tables.AuditEntry.actor)))


async def test_the_holder_of_the_claim_finishes_the_task(queue: Queue, tenant_id: UUID) -> None:
    task_id = await queue.put_one(tenant_id)
    await write_and_finish(queue, await queue.claim_one(), "holder")
    row = await queue.row(tenant_id, task_id)
    assert (row.state, row.result, row.lease_until) == ("succeeded", {"by": "holder"}, None)
    assert row.finished_at is not None
    assert await written_by(queue, tenant_id) == ["holder"]


async def test_an_older_attempt_finishes_nothing_while_the_newer_works(
    queue: Queue, tenant_id: UUID
) -> None:
    task_id = await queue.put_one(tenant_id)
    stale = await queue.claim_one(EXPIRED)
    current = await queue.claim_one()
    with pytest.raises(StalePublish) as caught:
        await write_and_finish(queue, stale, "zombie")
    assert caught.value.claim == stale
    assert await written_by(queue, tenant_id) == []
    await write_and_finish(queue, current, "holder")
    assert (await queue.row(tenant_id, task_id)).result == {"by": "holder"}


async def test_an_older_attempt_finishes_nothing_after_the_newer_has(
    queue: Queue, tenant_id: UUID
) -> None:
    task_id = await queue.put_one(tenant_id)
    stale = await queue.claim_one(EXPIRED)
    await write_and_finish(queue, await queue.claim_one(), "holder")
    with pytest.raises(StalePublish):
        await write_and_finish(queue, stale, "zombie")
    assert await written_by(queue, tenant_id) == ["holder"]
    assert (await queue.row(tenant_id, task_id)).result == {"by": "holder"}


async def test_an_expired_task_that_nobody_claimed_yet_is_still_its_holders(
    queue: Queue, tenant_id: UUID
) -> None:
    """The lease says when others may come; until one does, finished work is kept."""
    task_id = await queue.put_one(tenant_id)
    claim = await queue.claim_one(EXPIRED)
    await write_and_finish(queue, claim, "late")
    assert (await queue.row(tenant_id, task_id)).state == State.SUCCEEDED


async def test_no_task_is_finished_twice(queue: Queue, tenant_id: UUID) -> None:
    await queue.put(tenant_id)
    claim = await queue.claim_one()
    await write_and_finish(queue, claim, "once")
    with pytest.raises(StalePublish):
        await write_and_finish(queue, claim, "twice")
    assert await written_by(queue, tenant_id) == ["once"]


async def test_the_wall_lets_no_claim_finish_another_tenants_task(
    queue: Queue, tenant_id: UUID
) -> None:
    task_id = await queue.put_one(tenant_id)
    claim = await queue.claim_one()
    stranger = await queue.tenant()
    with pytest.raises(StalePublish):
        async with tenant_transaction(queue.sessions, stranger) as session:
            await finish(session, claim, State.SUCCEEDED)
    assert (await queue.row(tenant_id, task_id)).state == State.RUNNING


async def test_progress_of_an_older_attempt_is_refused(queue: Queue, tenant_id: UUID) -> None:
    task_id = await queue.put_one(tenant_id)
    stale = await queue.claim_one(EXPIRED)
    await queue.claim_one()
    with pytest.raises(StalePublish):
        async with tenant_transaction(queue.sessions, tenant_id) as session:
            await note_progress(session, stale, {"fraction": 0.9})
    assert (await queue.row(tenant_id, task_id)).progress is None


@pytest.mark.parametrize(("burn", "next_attempt"), [(False, 1), (True, 2)])
async def test_a_task_put_back_burns_an_attempt_only_if_it_failed(
    queue: Queue, tenant_id: UUID, burn: bool, next_attempt: int
) -> None:
    task_id = await queue.put_one(tenant_id)
    claim = await queue.claim_one()
    async with tenant_transaction(queue.sessions, tenant_id) as session:
        await put_back(session, claim, timedelta(0), {"code": "c"}, burn_attempt=burn)
    row = await queue.row(tenant_id, task_id)
    assert (row.state, row.worker, row.lease_until) == ("queued", None, None)
    assert (await queue.claim_one()).attempt == next_attempt


async def test_a_task_put_back_waits_for_its_time(queue: Queue, tenant_id: UUID) -> None:
    task_id = await queue.put_one(tenant_id)
    claim = await queue.claim_one()
    async with tenant_transaction(queue.sessions, tenant_id) as session:
        await put_back(session, claim, timedelta(hours=1), burn_attempt=True)
        now = await session.scalar(select(func.now()))
    assert await queue.claim() == []
    assert (await queue.row(tenant_id, task_id)).run_after == now + timedelta(hours=1)


async def test_an_older_attempt_puts_nothing_back(queue: Queue, tenant_id: UUID) -> None:
    task_id = await queue.put_one(tenant_id)
    stale = await queue.claim_one(EXPIRED)
    await queue.claim_one()
    with pytest.raises(StalePublish):
        async with tenant_transaction(queue.sessions, tenant_id) as session:
            await put_back(session, stale, timedelta(0), burn_attempt=False)
    assert (await queue.row(tenant_id, task_id)).state == State.RUNNING


@pytest.mark.parametrize("burn", [False, True])
async def test_who_put_a_task_back_can_finish_nothing_that_the_next_holder_runs(
    queue: Queue, tenant_id: UUID, burn: bool
) -> None:
    """A snooze gives its attempt back, and the next claim has the same: not the same fence."""
    task_id = await queue.put_one(tenant_id)
    snoozed = await queue.claim_one(worker="w1")
    async with tenant_transaction(queue.sessions, tenant_id) as session:
        await put_back(session, snoozed, timedelta(0), burn_attempt=burn)
    current = await queue.claim_one(worker="w2")
    assert current.attempt == 1 + burn
    with pytest.raises(StalePublish):
        await write_and_finish(queue, snoozed, "zombie")
    assert await renew_leases(queue.engine, [snoozed], timedelta(seconds=9)) == frozenset()
    assert (await queue.row(tenant_id, task_id)).state == State.RUNNING
    await write_and_finish(queue, current, "holder")


async def test_no_two_claims_of_a_task_have_the_same_fence(queue: Queue, tenant_id: UUID) -> None:
    await queue.put(tenant_id)
    fences = []
    for burn in (False, False, True, False):
        claim = await queue.claim_one()
        fences.append(claim.fence)
        async with tenant_transaction(queue.sessions, tenant_id) as session:
            await put_back(session, claim, timedelta(0), burn_attempt=burn)
    fences.append((await queue.claim_one(EXPIRED)).fence)
    fences.append((await queue.claim_one()).fence)
    assert fences == [1, 2, 3, 4, 5, 6]
