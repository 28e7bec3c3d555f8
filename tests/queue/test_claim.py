"""A claim gives a task to one worker, for as long as its lease."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text

from services.training import tables
from services.training.queue.claim import claim_tasks, read_claimed, renew_leases
from services.training.queue.finish import note_progress
from services.training.queue.task import Claim, Priority, StalePublish, State
from shared.database import tenant_transaction
from tests.queue.real_queue import EXPIRED, LEASE, Queue


async def test_tasks_are_claimed_in_the_order_they_were_put_in(
    queue: Queue, tenant_id: UUID
) -> None:
    ids = await queue.put(tenant_id, 5)
    assert ids == sorted(ids)
    claimed = [(await queue.claim_one()).id for _ in ids]
    assert claimed == ids
    assert await queue.claim() == []


async def test_a_claim_marks_the_task_as_running_its_first_attempt(
    queue: Queue, tenant_id: UUID
) -> None:
    task_id = await queue.put_one(tenant_id)
    claim = await queue.claim_one(worker="w7")
    row = await queue.row(tenant_id, task_id)
    assert (row.state, row.attempt, row.worker) == (State.RUNNING, 1, "w7")
    assert row.started_at is not None
    assert row.lease_until is not None
    assert row.lease_until - row.started_at == LEASE
    assert claim == Claim(tenant_id, task_id, fence=1, attempt=1)


async def test_only_kinds_that_were_asked_for_are_claimed(queue: Queue, tenant_id: UUID) -> None:
    await queue.put(tenant_id, kind="sweep")
    assert await queue.claim(kind="bake") == []
    assert len(await queue.claim(kind="sweep")) == 1


async def test_a_lower_class_is_claimed_first_whenever_it_came(
    queue: Queue, tenant_id: UUID
) -> None:
    for priority in (Priority.BACKFILL, Priority.SCHEDULED, Priority.INTERACTIVE):
        await queue.put(tenant_id, 2, priority=priority)
    order = []
    for _ in range(6):
        claim = await queue.claim_one()
        order.append((await queue.row(tenant_id, claim.id)).priority)
    assert order == [0, 0, 1, 1, 2, 2]


async def test_claimers_at_the_same_time_never_get_the_same_task(
    queue: Queue, tenant_id: UUID
) -> None:
    ids = await queue.put(tenant_id, 120)

    async def claim_all(worker: str) -> list[int]:
        mine: list[int] = []
        while claims := await queue.claim(slots=3, worker=worker):
            mine += [claim.id for claim in claims]
        return mine

    taken = await asyncio.gather(*(claim_all(f"w{number}") for number in range(6)))
    assert sorted(task for mine in taken for task in mine) == ids


async def test_a_claim_reveals_nothing_of_other_tenants_but_ids(
    queue: Queue, tenant_id: UUID
) -> None:
    stranger = await queue.tenant()
    await queue.put(stranger)
    async with queue.engine.connect() as connection:
        rows = await connection.execute(
            text("SELECT * FROM claim_tasks('w', ARRAY['bake'], 1, '1 minute', NULL, '{}')")
        )
        assert list(rows.keys()) == ["tenant_id", "id", "fence", "attempt"]
        await connection.commit()
    async with tenant_transaction(queue.sessions, tenant_id) as session:
        assert (await session.scalars(select(tables.Task))).all() == []


async def test_a_lease_that_ran_out_hands_the_task_over_and_counts_an_attempt(
    queue: Queue, tenant_id: UUID
) -> None:
    task_id = await queue.put_one(tenant_id)
    first = await queue.claim_one(EXPIRED, worker="dead")
    second = await queue.claim_one(worker="alive")
    assert second == Claim(tenant_id, task_id, first.fence + 1, first.attempt + 1)
    row = await queue.row(tenant_id, task_id)
    assert row.worker == "alive"
    assert row.error == {"code": "lease_expired", "message": "worker dead fell silent"}


async def test_a_lease_that_holds_hands_nothing_over(queue: Queue, tenant_id: UUID) -> None:
    await queue.put(tenant_id)
    await queue.claim_one(LEASE)
    assert await queue.claim() == []


async def test_a_row_that_a_silent_worker_still_locks_holds_up_no_other_claim(
    queue: Queue, tenant_id: UUID
) -> None:
    """A worker may freeze within its publishing transaction."""
    await queue.put(tenant_id, 2)
    frozen = await queue.claim_one(EXPIRED)
    async with tenant_transaction(queue.sessions, tenant_id) as session:
        await note_progress(session, frozen, {"fraction": 0.5})
        async with asyncio.timeout(5):
            other = await queue.claim_one()
        assert other.id != frozen.id
    again = await queue.claim_one()
    assert again.id == frozen.id


async def test_renewing_keeps_a_lease_from_running_out(queue: Queue, tenant_id: UUID) -> None:
    await queue.put(tenant_id)
    claim = await queue.claim_one(EXPIRED)
    assert await renew_leases(queue.engine, [claim], LEASE) == {claim}
    assert await queue.claim() == []


async def test_renewing_answers_only_with_what_is_still_the_callers(
    queue: Queue, tenant_id: UUID
) -> None:
    await queue.put(tenant_id, 2)
    lost = await queue.claim_one(EXPIRED)
    taken_over = await queue.claim_one()
    kept = await queue.claim_one()
    assert taken_over.id == lost.id
    assert await renew_leases(queue.engine, [lost, kept], timedelta(minutes=9)) == {kept}
    row = await queue.row(tenant_id, taken_over.id)
    assert row.lease_until is not None
    assert row.started_at is not None
    assert row.lease_until - row.started_at == LEASE


async def test_a_claim_that_changed_hands_is_not_read(queue: Queue, tenant_id: UUID) -> None:
    await queue.put(tenant_id)
    stale = await queue.claim_one(EXPIRED)
    current = await queue.claim_one()
    async with tenant_transaction(queue.sessions, tenant_id) as session:
        assert (await read_claimed(session, current)).payload == {"secret": "flour"}
        with pytest.raises(StalePublish):
            await read_claimed(session, stale)


async def test_the_api_may_not_claim(queue: Queue, tenant_id: UUID) -> None:
    """Putting in is the API's, taking out the workers'."""
    await queue.put(tenant_id)
    api = queue.asking.kw["bind"]
    with pytest.raises(Exception, match="permission denied for function claim_tasks"):
        await claim_tasks(api, "api", ["bake"], 1, LEASE)
