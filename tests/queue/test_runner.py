"""A lane runs what it claims and settles how it ended, whatever that was."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from services.training import tables
from services.training.queue.children import ChildDied
from services.training.queue.finish import finish
from services.training.queue.lifeline import CANCELLED_CHANNEL, LeaseTerms, Lifeline
from services.training.queue.runner import QUEUED_CHANNEL, Cargo, Lane, Runner
from services.training.queue.task import ClaimedTask, Refused, Snooze, State
from shared.background import running
from shared.database import connect_directly, tenant_transaction
from shared.doorbell import Bell, Listener
from shared.roles import WORKER
from tests.conftest import Database
from tests.queue.real_queue import EXPIRED, Queue, until_someone_waits_for_a_lock

Work = Callable[[ClaimedTask], Awaitable[None]]
TERMS = LeaseTerms(timedelta(seconds=30), timedelta(seconds=5))


@dataclass
class Bakery:
    """Cargo whose work a test decides, and a record of what came of it."""

    queue: Queue
    work: Work
    ran: list[ClaimedTask] = field(default_factory=list)
    buried: list[dict[str, Any]] = field(default_factory=list)

    async def run(self, task: ClaimedTask) -> None:
        self.ran.append(task)
        await self.work(task)
        await self.end(task, State.SUCCEEDED)

    async def bury(self, task: ClaimedTask, error: dict[str, Any]) -> None:
        self.buried.append(error)
        await self.end(task, State.FAILED, error)

    async def end(
        self, task: ClaimedTask, state: State, error: dict[str, Any] | None = None
    ) -> None:
        async with tenant_transaction(self.queue.sessions, task.tenant_id) as session:
            await finish(session, task.claim, state, error=error)


@asynccontextmanager
async def lane(database: Database, bakery: Bakery, slots: int = 2) -> AsyncIterator[Runner]:
    connect = partial(connect_directly, database.worker_dsn, WORKER, "test-doorbell")
    bell = Bell(connect)
    listener = Listener(connect, (QUEUED_CHANNEL, CANCELLED_CHANNEL), bell, WORKER)
    queue = bakery.queue
    lifeline = Lifeline(queue.engine, TERMS, listener, time.monotonic)
    runner = Runner(
        "w1",
        Lane({"bake": Cargo(bakery.run, bakery.bury)}, slots),
        queue.engine,
        queue.sessions,
        lifeline,
        listener,
        Random(1),
    )
    async with running(bell.run(), listener.run(), lifeline.run(), runner.run()):
        yield runner
        await runner.drain(0, asyncio.Event())


async def settled(queue: Queue, tenant_id: UUID, task_id: int, *states: str) -> tables.Task:
    """The task once it is in one of the states, and no longer with an attempt under way."""
    async with asyncio.timeout(30):
        while (row := await queue.row(tenant_id, task_id)).state not in states:
            await asyncio.sleep(0.02)
    return row


async def do_nothing(task: ClaimedTask) -> None:
    return


async def work_for_ever(task: ClaimedTask) -> None:
    await asyncio.sleep(300)


async def test_work_that_ends_well_has_succeeded(
    queue: Queue, tenant_id: UUID, database: Database
) -> None:
    ids = await queue.put(tenant_id, 7)
    bakery = Bakery(queue, do_nothing)
    async with lane(database, bakery):
        for task_id in ids:
            await settled(queue, tenant_id, task_id, "succeeded")
    assert sorted(task.claim.id for task in bakery.ran) == ids


async def test_no_more_run_at_once_than_the_lane_is_wide(
    queue: Queue, tenant_id: UUID, database: Database
) -> None:
    ids = await queue.put(tenant_id, 12)
    now, most = 0, 0

    async def count(task: ClaimedTask) -> None:
        nonlocal now, most
        now, most = now + 1, max(most, now + 1)
        await asyncio.sleep(0.03)
        now -= 1

    async with lane(database, Bakery(queue, count), slots=3):
        await settled(queue, tenant_id, ids[-1], "succeeded")
    assert most == 3


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ChildDied("signal", "ended by SIGKILL"), ("child_signal", "ended by SIGKILL")),
        (
            ValueError("INSERT INTO sales VALUES (17)"),
            ("internal_error", "the worker failed at this task, and its log says why"),
        ),
    ],
)
async def test_work_that_fails_is_tried_again_and_buried_after_its_last_attempt(
    queue: Queue, tenant_id: UUID, database: Database, error: Exception, told: tuple[str, str]
) -> None:
    task_id = await queue.put_one(tenant_id, max_attempts=2)

    async def fail(task: ClaimedTask) -> None:
        raise error

    bakery = Bakery(queue, fail)
    async with lane(database, bakery):
        row = await settled(queue, tenant_id, task_id, "failed")
    assert [task.claim.attempt for task in bakery.ran] == [1, 2]
    assert bakery.ran[1].error == bakery.buried[0] == row.error
    assert row.error == {"code": told[0], "message": told[1]}


async def test_a_refusal_is_buried_at_once(
    queue: Queue, tenant_id: UUID, database: Database
) -> None:
    task_id = await queue.put_one(tenant_id)

    async def refuse(task: ClaimedTask) -> None:
        raise Refused("no_flour", "buy flour")

    bakery = Bakery(queue, refuse)
    async with lane(database, bakery):
        row = await settled(queue, tenant_id, task_id, "failed")
    assert (row.attempt, row.error) == (1, {"code": "no_flour", "message": "buy flour"})


async def test_a_snooze_comes_again_and_burns_nothing(
    queue: Queue, tenant_id: UUID, database: Database
) -> None:
    task_id = await queue.put_one(tenant_id, max_attempts=1)

    async def snooze_three_times(task: ClaimedTask) -> None:
        if len(bakery.ran) <= 3:
            raise Snooze(0.01, "the oven is cold")

    bakery = Bakery(queue, snooze_three_times)
    async with lane(database, bakery):
        await settled(queue, tenant_id, task_id, "succeeded")
    assert [task.claim.attempt for task in bakery.ran] == [1, 1, 1, 1]


async def test_a_task_whose_workers_all_fell_silent_is_buried_without_another_run(
    queue: Queue, tenant_id: UUID, database: Database
) -> None:
    task_id = await queue.put_one(tenant_id, max_attempts=2)
    for _ in range(2):
        await queue.claim_one(EXPIRED, worker="dead")
    bakery = Bakery(queue, do_nothing)
    async with lane(database, bakery):
        row = await settled(queue, tenant_id, task_id, "failed")
    assert bakery.ran == []
    assert row.error == {"code": "lease_expired", "message": "worker dead fell silent"}


async def test_work_of_a_task_that_is_taken_away_leaves_the_lane_at_work(
    queue: Queue, tenant_id: UUID, database: Database
) -> None:
    first, second = await queue.put(tenant_id, 2)

    async def lose(task: ClaimedTask) -> None:
        if task.claim.id == first:
            await bakery.end(task, State.CANCELLED)

    bakery = Bakery(queue, lose)
    async with lane(database, bakery, slots=1):
        await settled(queue, tenant_id, second, "succeeded")
    assert (await queue.row(tenant_id, first)).state == "cancelled"


async def test_draining_waits_for_what_runs_and_claims_nothing_more(
    queue: Queue, tenant_id: UUID, database: Database
) -> None:
    first, second = await queue.put(tenant_id, 2)
    go_on = asyncio.Event()
    bakery = Bakery(queue, lambda task: go_on.wait())  # type: ignore[arg-type]
    async with lane(database, bakery, slots=1) as runner:
        await settled(queue, tenant_id, first, "running")
        draining = asyncio.create_task(runner.drain(60, asyncio.Event()))
        await asyncio.sleep(0)
        go_on.set()
        await draining
    assert (await queue.row(tenant_id, first)).state == "succeeded"
    assert (await queue.row(tenant_id, second)).attempt == 0


@pytest.mark.parametrize("hurried", [False, True])
async def test_what_does_not_end_in_time_is_handed_back_with_its_attempt(
    queue: Queue, tenant_id: UUID, database: Database, hurried: bool
) -> None:
    ids = await queue.put(tenant_id, 2)
    hurry = asyncio.Event()
    async with lane(database, Bakery(queue, work_for_ever)) as runner:
        for task_id in ids:
            await settled(queue, tenant_id, task_id, "running")
        if hurried:
            hurry.set()
        await runner.drain(300 if hurried else 0.1, hurry)
    for task_id in ids:
        row = await queue.row(tenant_id, task_id)
        assert (row.state, row.attempt, row.worker) == ("queued", 0, None)
    assert len(await queue.claim(slots=2)) == 2


async def test_what_is_being_claimed_when_the_drain_begins_is_drained_too(
    queue: Queue, tenant_id: UUID, database: Database
) -> None:
    ids = await queue.put(tenant_id, 2)
    async with (
        lane(database, Bakery(queue, work_for_ever)) as runner,
        AsyncExitStack() as held_up,
    ):
        session = await held_up.enter_async_context(tenant_transaction(queue.asking, tenant_id))
        await session.execute(text("LOCK TABLE tasks"))
        await until_someone_waits_for_a_lock(queue)
        draining = asyncio.create_task(runner.drain(0, asyncio.Event()))
        done, _ = await asyncio.wait([draining], timeout=0.2)
        assert not done
        await held_up.aclose()
        await draining
        rows = [await queue.row(tenant_id, task_id) for task_id in ids]
    assert [(row.state, row.attempt) for row in rows] == [("queued", 0)] * 2
