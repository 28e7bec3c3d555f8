"""What the leader's turns take: a look at who is due, and a turn at which nothing is."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Final
from uuid import UUID

import asyncpg
import numpy as np
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.claim_speed import add_tenant
from benchmarks.scaling.measuring.bill import Till
from benchmarks.scaling.measuring.figure import Figure
from services.training.queue.periodic import DUE, MOST_TENANTS, Turn
from services.training.retraining.policy import RETRAINING
from services.training.retraining.turn import retrain_due
from services.training.sources.turn import SOURCE_SYNC, ask_for_due_syncs
from shared.database import PoolLimits, make_engine, make_sessions
from shared.doorbell import Bell
from shared.postgres import RunningPostgres
from shared.roles import WORKER

TENANTS: Final = (1_000, 4_000, 16_000)
LOOKS: Final = 10
AGAIN: Final = timedelta(seconds=60)
Work = Callable[[Turn], Awaitable[None]]


def turn_costs(server: RunningPostgres, turns: int) -> dict[str, Figure]:
    return asyncio.run(_measure(server, Till(server), turns))


async def _measure(server: RunningPostgres, till: Till, turns: int) -> dict[str, Figure]:
    admin = await asyncpg.connect(server.url())
    engine = make_engine(server.url(WORKER), WORKER, PoolLimits(size=2), "benchmark")
    bell = Bell(partial(asyncpg.connect, server.url()))
    sessions = make_sessions(engine)
    works: dict[str, Work] = {
        SOURCE_SYNC: partial(ask_for_due_syncs, sessions, bell),
        RETRAINING: partial(retrain_due, sessions, bell),
    }
    tenants = [await add_tenant(admin) for _ in range(turns)]
    found: dict[str, Figure] = {}
    for name, work in works.items():
        found |= await _turns(till, tenants, name, work)
    found |= await _looks(till, admin, engine)
    await engine.dispose()
    await admin.close()
    return found


async def _turns(till: Till, tenants: list[UUID], name: str, work: Work) -> dict[str, Figure]:
    """The second turn of each tenant, one after the other, as the leader gives them."""

    async def give(number: int) -> None:
        for tenant in tenants:
            await work(Turn(tenant, name, number, "w", AGAIN))

    await give(0)
    before = await till.read_within()
    began, own = time.perf_counter(), time.process_time()
    await give(1)
    wall, own = time.perf_counter() - began, time.process_time() - own
    bill = await till.read_within() - before
    one, how = bill.times(1 / len(tenants)), "turns in a row at which nothing was due"
    return {
        f"{name}_turn_wall_ms": Figure(1000 * wall / len(tenants), "ms", len(tenants), how),
        f"{name}_turn_own_ms": Figure(
            1000 * own / len(tenants), "ms of the leader's cpu", len(tenants), how
        ),
        f"{name}_turn_db_ms": Figure(1000 * one.cpu_seconds, "ms", len(tenants), how),
        f"{name}_turn_wal_bytes": Figure(one.wal_bytes, "bytes", len(tenants), how),
        f"{name}_turn_statements": Figure(one.statements, "statements", len(tenants), how),
    }


async def _looks(
    till: Till, admin: "asyncpg.Connection[asyncpg.Record]", engine: AsyncEngine
) -> dict[str, Figure]:
    """Who is due, while all are: a look gives at most a hundred, and reads everybody."""
    spent = []
    for wanted in TENANTS:
        await _fill(admin, wanted)
        bill = await till.bill_of(lambda: _look(engine))
        spent.append(1000 * bill.cpu_seconds / LOOKS)
    slope, intercept = np.polyfit([wanted / 1000 for wanted in TENANTS], spent, 1)
    how = f"{LOOKS} looks each with {', '.join(map(str, TENANTS))} tenants, a line through"
    return {
        "look_db_ms": Figure(max(0.0, float(intercept)), "ms", LOOKS, how),
        "look_db_ms_per_1000_tenants": Figure(float(slope), "ms", LOOKS, how),
        "tenants_a_look": Figure(MOST_TENANTS, "tenants", 1, "queue/periodic.py"),
    }


async def _look(engine: AsyncEngine) -> None:
    values = {"work": "another", "every": timedelta(0), "most": MOST_TENANTS}
    for _ in range(LOOKS):
        async with engine.connect() as connection:
            (await connection.execute(DUE, values)).all()


async def _fill(admin: "asyncpg.Connection[asyncpg.Record]", wanted: int) -> None:
    missing = wanted - await admin.fetchval("SELECT count(*) FROM tenants")
    await admin.execute(
        "INSERT INTO tenants (tenant_id, name, slug, country, timezone, plan) "
        "SELECT gen_random_uuid(), 'a bakery', gen_random_uuid()::text, 'DE', 'Europe/Berlin', "
        "'standard' FROM generate_series(1, $1::int)",
        max(0, missing),
    )
    await admin.execute(
        "INSERT INTO periodic_runs (tenant_id, name, number, next_at, ended_at, worker) "
        "SELECT tenant_id, 'another', 1, now(), now(), 'w' FROM tenants ON CONFLICT DO NOTHING"
    )
    await admin.execute("VACUUM ANALYZE tenants, periodic_runs")
