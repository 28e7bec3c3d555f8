"""One who tells of jobs as a worker does: locks the job, appends to its log, commits, rings."""

import asyncio
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final
from uuid import UUID, uuid4

from benchmarks.pinned import Pipe, process_on
from services.training.jobs.events import EVENTS_CHANNEL, EventType, NewEvent, append
from services.training.jobs.schemas import TrainingRequest
from services.training.jobs.store import add_job, lock_job
from shared.background import running
from shared.database import (
    PoolLimits,
    Sessions,
    connect_directly,
    make_engine,
    make_sessions,
    tenant_transaction,
)
from shared.doorbell import Bell
from shared.roles import WORKER

NOTE_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class Log:
    """A job's, which nobody else writes; `last` is the seq of its last event."""

    tenant_id: UUID
    job_id: UUID
    last: int


@dataclass(frozen=True, slots=True)
class Committed:
    """An event: its job, by number, its seq, when it was due, and when the writer knew of the
    commit, right before it rang (both monotonic)."""

    job: int
    seq: int
    due: float
    moment: float


class Writer:
    """The process, seen from outside."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe

    def begin(self, tenants: Sequence[UUID], notes: int) -> list[Log]:
        """A job for each mention of a tenant, with so many notes of 4 KiB in its log."""
        self._pipe.send((tenants, notes))
        logs: list[Log] = self._pipe.recv()
        return logs

    def tell(self, logs: Sequence[Log], rate: float, seconds: float) -> list[Committed]:
        """Events of all jobs in turn, so many a second, whether or not the last has committed."""
        self._pipe.send((logs, rate, seconds))
        committed: list[Committed] = self._pipe.recv()
        return committed


@contextmanager
def writer(dsn: str, cores: Sequence[int]) -> Iterator[Writer]:
    """As `morrow_worker` at this address."""
    with process_on(cores, _write, dsn) as pipe:
        yield Writer(pipe)


def _write(pipe: Pipe, dsn: str) -> None:
    asyncio.run(_serve(pipe, dsn))


async def _serve(pipe: Pipe, dsn: str) -> None:
    engine = make_engine(dsn, WORKER, PoolLimits(), "morrow-worker")
    sessions = make_sessions(engine)
    bell = Bell(partial(connect_directly, dsn, WORKER, "morrow-worker-bell"))
    async with running(bell.run()):
        while True:
            match await asyncio.to_thread(pipe.recv):
                case (tenants, notes):
                    pipe.send([await begin(sessions, tenant, notes) for tenant in tenants])
                case (logs, rate, seconds):
                    pipe.send(await tell(sessions, bell, logs, rate, seconds))


async def begin(sessions: Sessions, tenant_id: UUID, notes: int) -> Log:
    note = NewEvent(
        EventType.SOURCE_FINISHED, "sales", data={"note": secrets.token_hex(NOTE_BYTES // 2)}
    )
    job_id = uuid4()
    async with tenant_transaction(sessions, tenant_id) as session:
        await add_job(session, tenant_id, job_id, TrainingRequest())
        await append(session, job_id, [note] * notes)
        last = (await lock_job(session, job_id)).last_seq
    return Log(tenant_id, job_id, last)


async def tell(
    sessions: Sessions, bell: Bell, logs: Sequence[Log], rate: float, seconds: float
) -> list[Committed]:
    count, began = round(rate * seconds), time.monotonic()
    tasks = []
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            due = began + number / rate
            await asyncio.sleep(due - time.monotonic())
            job = number % len(logs)
            work = _tell_of(sessions, bell, logs[job], number / count)
            tasks.append((job, due, group.create_task(work)))
    return [Committed(job, seq, due, at) for job, due, task in tasks for seq, at in [task.result()]]


async def _tell_of(sessions: Sessions, bell: Bell, log: Log, fraction: float) -> tuple[int, float]:
    event = NewEvent(
        EventType.PRODUCT_PROGRESS,
        "butter croissant at main: search",
        percent=round(99 * fraction, 2),
        product="butter croissant",
        location="main",
        data={"stage": "search", "fraction": round(fraction, 3), "trials": 12},
    )
    async with tenant_transaction(sessions, log.tenant_id) as session:
        seq = (await lock_job(session, log.job_id)).last_seq + 1
        await append(session, log.job_id, [event])
    moment = time.monotonic()
    bell.ring(EVENTS_CHANNEL, str(log.job_id))
    return seq, moment
