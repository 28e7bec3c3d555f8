"""Held tasks wait for a release of their group, and enter the queue only then."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from services.training.queue.claim import claim_tasks
from services.training.queue.finish import cancel_group, finish
from services.training.queue.release import release
from services.training.queue.task import Claim, Priority, StalePublish, State
from shared.database import tenant_transaction
from tests.queue.real_queue import EXPIRED, Queue


async def let_in(queue: Queue, tenant_id: UUID, group: UUID, **news: object) -> bool:
    return await let_some_in(queue, tenant_id, group, 100, **news)


async def let_some_in(
    queue: Queue, tenant_id: UUID, group: UUID, most: int, **news: object
) -> bool:
    async with tenant_transaction(queue.sessions, tenant_id) as session:
        return await release(session, group, news, most)


async def test_nobody_claims_a_held_task_before_its_group_is_released(
    queue: Queue, tenant_id: UUID
) -> None:
    group = uuid4()
    held = await queue.put(tenant_id, 3, group_id=group, state=State.HELD)
    assert await queue.claim(slots=9) == []
    await let_in(queue, tenant_id, group)
    claims = await queue.claim(slots=9)
    assert sorted((claim.id, claim.attempt) for claim in claims) == [(id, 1) for id in held]


async def test_a_release_lets_in_only_its_group_and_only_what_is_held(
    queue: Queue, tenant_id: UUID
) -> None:
    group, apart, stranger = uuid4(), uuid4(), await queue.tenant()
    held = await queue.put_one(tenant_id, group_id=group, state=State.HELD)
    done = await queue.put_one(tenant_id, group_id=group, state=State.SKIPPED)
    other = await queue.put_one(tenant_id, group_id=apart, state=State.HELD)
    strange = await queue.put_one(stranger, group_id=group, state=State.HELD)
    await let_in(queue, tenant_id, group)
    states = [
        (await queue.row(owner, task)).state
        for owner, task in (
            (tenant_id, held), (tenant_id, done), (tenant_id, other), (stranger, strange),
        )
    ]  # fmt: skip
    assert states == ["queued", "skipped", "held", "held"]


async def test_what_is_released_is_told_the_news_and_keeps_what_it_carried(
    queue: Queue, tenant_id: UUID
) -> None:
    group = uuid4()
    task = await queue.put_one(tenant_id, group_id=group, state=State.HELD, payload={"a": 1})
    await let_in(queue, tenant_id, group, oven="hot", crumbs=None)
    row = await queue.row(tenant_id, task)
    assert row.payload == {"a": 1, "oven": "hot", "crumbs": None}


async def test_released_tasks_run_in_the_order_they_were_put_in_each_after_the_costs_before_it(
    queue: Queue, tenant_id: UUID
) -> None:
    group = uuid4()
    ids = [
        await queue.put_one(tenant_id, group_id=group, state=State.HELD, cost=cost)
        for cost in (4.0, 1.0, 2.0)
    ]
    await let_in(queue, tenant_id, group)
    tags = [(await queue.row(tenant_id, task)).start_tag for task in ids]
    assert [tag - tags[0] for tag in tags] == [0.0, 4.0, 5.0]
    assert [(await queue.claim_one()).id for _ in ids] == ids


async def test_a_large_group_is_let_in_by_parts_in_its_order(queue: Queue, tenant_id: UUID) -> None:
    group = uuid4()
    ids = await queue.put(tenant_id, 5, group_id=group, state=State.HELD)
    more, queued = [], []
    for _ in range(3):
        more.append(await let_some_in(queue, tenant_id, group, 2, part=len(more)))
        rows = await queue.rows(tenant_id)
        queued.append([row.id for row in rows if row.state == "queued"])
    assert more == [True, True, False]
    assert queued == [ids[:2], ids[:4], ids]
    rows = await queue.rows(tenant_id)
    assert [row.start_tag - rows[0].start_tag for row in rows] == [0, 1, 2, 3, 4]
    assert [row.payload["part"] for row in rows] == [0, 0, 1, 1, 2]


async def test_each_priority_class_is_released_into_its_own(queue: Queue, tenant_id: UUID) -> None:
    group = uuid4()
    late = await queue.put_one(
        tenant_id, group_id=group, state=State.HELD, priority=Priority.BACKFILL
    )
    soon = await queue.put_one(tenant_id, group_id=group, state=State.HELD)
    await let_in(queue, tenant_id, group)
    assert [(await queue.claim_one()).id for _ in range(2)] == [soon, late]


async def test_who_waited_long_has_no_arrears_on_those_who_came_meanwhile(
    queue: Queue, tenant_id: UUID
) -> None:
    """Ten tasks are held while another tenant's twenty are worked on: from the release on, the two
    take turns."""
    group, other = uuid4(), await queue.tenant()
    await queue.put(tenant_id, 10, group_id=group, state=State.HELD)
    await queue.put(other, 20)
    for _ in range(10):
        await serve_one(queue)
    running = await queue.claim_one()
    await let_in(queue, tenant_id, group)
    await end(queue, running)
    turns = [(await serve_one(queue)) for _ in range(8)]
    assert turns.count(tenant_id) in (4, 5)


async def test_what_is_released_comes_after_the_cost_of_what_it_waited_for(
    queue: Queue, tenant_id: UUID
) -> None:
    """The others do not wait for it as well."""
    group, other = uuid4(), await queue.tenant()
    await queue.put_one(tenant_id, group_id=group, cost=5.0)
    await queue.put(tenant_id, 3, group_id=group, state=State.HELD)
    await queue.put(other, 9)
    assert await serve_one(queue) == tenant_id
    await let_in(queue, tenant_id, group)
    turns = [await serve_one(queue) for _ in range(8)]
    assert turns[:5] == [other] * 5
    assert tenant_id in turns[5:]


async def test_a_held_task_takes_no_place_before_its_release(queue: Queue, tenant_id: UUID) -> None:
    """Else a tenant that holds much would wait for it with all else that it asks for."""
    other = await queue.tenant()
    await queue.put(other, 5)
    await queue.put(tenant_id, 1000, state=State.HELD)
    mine = await queue.put_one(tenant_id)
    claims = await queue.claim(slots=3)
    assert mine in {claim.id for claim in claims}


async def test_a_cancelled_group_holds_nothing_that_a_release_could_let_in(
    queue: Queue, tenant_id: UUID
) -> None:
    group = uuid4()
    held = await queue.put(tenant_id, 2, group_id=group, state=State.HELD)
    async with tenant_transaction(queue.asking, tenant_id) as session:
        cancelled = await cancel_group(session, group)
    assert cancelled == held
    await let_in(queue, tenant_id, group)
    assert await queue.claim(slots=9) == []


async def test_a_release_ends_with_the_transaction_that_the_fence_refused(
    queue: Queue, tenant_id: UUID
) -> None:
    """Whoever was replaced lets nobody in, in whatever order it goes about it."""
    group = uuid4()
    held = await queue.put_one(tenant_id, group_id=group, state=State.HELD)
    await queue.put_one(tenant_id, group_id=group)
    stale = await queue.claim_one(lease=EXPIRED)
    await claim_tasks(queue.engine, "w2", ["bake"], 1, timedelta(seconds=30))

    async def release_and_finish() -> None:
        async with tenant_transaction(queue.sessions, tenant_id) as session:
            await release(session, group, {}, 100)
            await finish(session, stale, State.SUCCEEDED)

    with pytest.raises(StalePublish):
        await release_and_finish()
    assert (await queue.row(tenant_id, held)).state == "held"


async def serve_one(queue: Queue) -> UUID:
    claim = await queue.claim_one()
    await end(queue, claim)
    return claim.tenant_id


async def end(queue: Queue, claim: Claim) -> None:
    async with tenant_transaction(queue.sessions, claim.tenant_id) as session:
        await finish(session, claim, State.SUCCEEDED)
