"""A child that comes to harm costs its own task an attempt, with the cause, and nobody else any."""

import asyncio
import random
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from uuid import UUID

import asyncpg
import pytest

from services.training.queue.children import ChildLimits, Slot, fork_server
from services.training.queue.finish import finish
from services.training.queue.lifeline import CANCELLED_CHANNEL, LeaseTerms, Lifeline
from services.training.queue.locks import AdvisoryLocks, LockLost
from services.training.queue.runner import QUEUED_CHANNEL, Cargo, Lane, Runner
from services.training.queue.task import ClaimedTask, State
from shared.background import running
from shared.database import connect_directly, tenant_transaction
from shared.doorbell import Bell, Listener
from shared.roles import WORKER
from tests.conftest import Database
from tests.process_life import runs
from tests.queue import made_work
from tests.queue.real_queue import Queue

MEMORY = 2**30
TERMS = LeaseTerms(timedelta(seconds=30), timedelta(seconds=5))
CONTEXT = ["tests.queue.made_work"]
HARM = {
    "child_signal": [
        (made_work.end_by_signal, int(signal.SIGKILL), "SIGKILL"),
        (made_work.end_by_signal, int(signal.SIGSEGV), "SIGSEGV"),
    ],
    "child_exit": [(made_work.leave, 7, "status 7")],
    "child_raised": [(made_work.take_memory, 2 * MEMORY, "MemoryError")],
    "child_deadline": [(made_work.sleep, 600, "did not answer")],
}
CASES = [(code, *case) for code, cases in HARM.items() for case in cases]
BYSTANDERS = 3


@asynccontextmanager
async def slots(count: int) -> AsyncIterator["asyncio.Queue[Slot]"]:
    made = [Slot(fork_server(CONTEXT), ChildLimits(memory_bytes=MEMORY)) for _ in range(count)]
    free: asyncio.Queue[Slot] = asyncio.Queue()
    for slot in made:
        free.put_nowait(slot)
    yield free
    for slot in made:
        slot.close()


def cargo_of(queue: Queue, free: "asyncio.Queue[Slot]") -> Cargo:
    """Work by its name, in a child; the task is finished with the answer."""

    async def run(task: ClaimedTask) -> None:
        slot = await free.get()
        try:
            work = getattr(made_work, task.payload["work"])
            answer = await slot.run(work, task.payload["argument"], lambda _: None, 3)
        finally:
            free.put_nowait(slot)
        async with tenant_transaction(queue.sessions, task.tenant_id) as session:
            await finish(session, task.claim, State.SUCCEEDED, {"answer": answer})

    async def bury(task: ClaimedTask, error: dict[str, object]) -> None:
        pytest.fail(f"{task} was buried after one attempt: {error}")

    return Cargo(run, bury)


async def settled(queue: Queue, tenant_id: UUID, task: int, states: set[str]) -> None:
    async with asyncio.timeout(60):
        while (await queue.row(tenant_id, task)).state not in states:
            await asyncio.sleep(0.02)


async def test_harm_to_a_child_costs_its_task_an_attempt_and_says_why(
    queue: Queue, tenant_id: UUID, database: Database
) -> None:
    harmed = [
        await queue.put_one(tenant_id, payload={"work": work.__name__, "argument": argument})
        for _, work, argument, _ in CASES
    ]
    payload = {"work": "sleep", "argument": 0.5}
    bystanders = await queue.put(tenant_id, BYSTANDERS, payload=payload)
    connect = partial(connect_directly, database.worker_dsn, WORKER, "test-doorbell")
    bell = Bell(connect)
    listener = Listener(connect, (QUEUED_CHANNEL, CANCELLED_CHANNEL), bell, WORKER)
    lifeline = Lifeline(queue.engine, TERMS, listener, time.monotonic)
    async with slots(4) as free:
        lane = Lane({"bake": cargo_of(queue, free)}, 4)
        made = (queue.engine, queue.sessions, lifeline, listener, random.Random(1))
        runner = Runner("w1", lane, *made)
        async with running(bell.run(), listener.run(), lifeline.run(), runner.run()):
            for task in bystanders:
                await settled(queue, tenant_id, task, {"succeeded"})
            errors = [await first_error(queue, tenant_id, task) for task in harmed]
            await runner.drain(0, asyncio.Event())
    for task in bystanders:
        assert (await queue.row(tenant_id, task)).attempt == 1
    for error, (code, _, _, words) in zip(errors, CASES, strict=True):
        assert error["code"] == code
        assert words in error["message"]


async def first_error(queue: Queue, tenant_id: UUID, task: int) -> dict[str, str]:
    """What its row tells until the next attempt begins."""
    async with asyncio.timeout(60):
        while (error := (await queue.row(tenant_id, task)).error) is None:
            await asyncio.sleep(0.02)
    return error


async def test_a_child_is_dead_by_the_time_its_lock_is_known_to_be_lost(
    database: Database,
) -> None:
    application = "locks-of-a-harmed"
    connect = partial(connect_directly, database.worker_dsn, WORKER, application)
    locks = AdvisoryLocks(connect, timedelta(minutes=5))
    operator = await asyncpg.connect(database.admin_dsn)
    pid: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def work(slot: Slot) -> None:
        async with locks.hold("roll"):
            await slot.run(made_work.sleep, 600, pid.set_result, 600)

    async with slots(1) as free:
        working = asyncio.create_task(work(await free.get()))
        child = await pid
        await operator.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1",
            application,
        )
        with pytest.raises(LockLost):
            await working
        assert not runs(child)
    await operator.close()
    await locks.close()
