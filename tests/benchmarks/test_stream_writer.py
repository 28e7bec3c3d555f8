"""The benchmark's writer tells of jobs as a worker does."""

from __future__ import annotations

import asyncio
import time
from functools import partial

from benchmarks.stream_writer import begin, tell
from services.training.jobs.events import EVENTS_CHANNEL, read_events
from shared.background import running
from shared.database import (
    PoolLimits,
    connect_directly,
    make_engine,
    make_sessions,
    tenant_transaction,
)
from shared.doorbell import Bell, Listener
from shared.roles import WORKER
from tests.conftest import Database, Tenant

RATE, SECONDS = 50, 0.2


async def test_every_event_is_committed_when_it_says_and_rung(
    database: Database, tenant: Tenant
) -> None:
    engine = make_engine(database.worker_dsn, WORKER, PoolLimits(), "benchmark")
    sessions = make_sessions(engine)
    connect = partial(connect_directly, database.worker_dsn, WORKER, "benchmark")
    bell = Bell(connect)
    listener = Listener(connect, (EVENTS_CHANNEL,), bell, WORKER)
    logs = [await begin(sessions, tenant.id, notes) for notes in (0, 3)]
    assert [log.last for log in logs] == [1, 4]
    async with (
        listener.subscribe(EVENTS_CHANNEL, str(logs[1].job_id)) as rung,
        running(bell.run(), listener.run()),
    ):
        while not listener.hears:
            await asyncio.sleep(0.01)
        rung.clear()
        before = time.monotonic()
        told = await tell(sessions, bell, logs, RATE, SECONDS)
        await asyncio.wait_for(rung.wait(), 10)
    assert sorted((one.job, one.seq) for one in told) == [
        *((0, seq) for seq in range(2, 7)),
        *((1, seq) for seq in range(5, 10)),
    ]
    assert all(before <= one.due <= one.moment <= time.monotonic() for one in told)
    for log in logs:
        async with tenant_transaction(sessions, tenant.id) as session:
            seqs = [event.seq for event in await read_events(session, log.job_id, log.last)]
        assert seqs == list(range(log.last + 1, log.last + 6))
    await engine.dispose()
