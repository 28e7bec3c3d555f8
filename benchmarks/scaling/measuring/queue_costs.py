"""What the queue's own statements ask of the database, away from any cargo."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.claim_speed import add_tasks, add_tenant
from benchmarks.scaling.measuring.bill import Bill, Till
from benchmarks.scaling.measuring.figure import Figure
from services.training.queue.claim import claim_tasks, renew_leases
from services.training.queue.depth import DEPTH
from services.training.queue.finish import finish
from services.training.queue.task import Claim, State
from shared.database import PoolLimits, make_engine, make_sessions, tenant_transaction
from shared.postgres import RunningPostgres
from shared.roles import WORKER

TENANTS: Final = 100
QUEUED: Final = 50_000
LEASE: Final = timedelta(minutes=30)
HOW: Final = f"one after the other, {QUEUED:,} tasks of {TENANTS} tenants queued"


def queue_costs(server: RunningPostgres, calls: int) -> dict[str, Figure]:
    return asyncio.run(_measure(server, Till(server), calls))


async def _measure(server: RunningPostgres, till: Till, calls: int) -> dict[str, Figure]:
    limits = PoolLimits(size=1, max_overflow=0, pre_ping=False)
    engine = make_engine(server.url(WORKER), WORKER, limits, "benchmark")
    admin = await asyncpg.connect(server.url())
    tenants = [await add_tenant(admin) for _ in range(TENANTS)]
    await add_tasks(admin, tenants, QUEUED)
    await admin.execute("VACUUM ANALYZE tasks")
    await _claim(engine, 20, "train")
    claims: list[Claim] = []
    bills = {
        "claim": await till.bill_of(lambda: _claim(engine, calls, "train", claims)),
        "empty_claim": await till.bill_of(lambda: _claim(engine, calls, "prepare")),
        "renewal": await till.bill_of(lambda: _renew(engine, claims)),
        "finish": await till.bill_of(lambda: _finish(engine, claims)),
    }
    found = {key: each for name, bill in bills.items() for key, each in told(name, bill, calls)}
    found |= await _depth(till, engine, calls)
    found |= await _vacuum(admin, till, tenants)
    await engine.dispose()
    await admin.close()
    return found


def told(name: str, bill: Bill, calls: int, how: str = HOW) -> list[tuple[str, Figure]]:
    """One of so many calls, each figure under `name`."""
    one = bill.times(1 / calls)
    pages = f"{how}; {one.full_pages:.2g} of it whole pages" if one.full_pages else how
    return [
        (f"{name}_db_ms", Figure(1000 * one.cpu_seconds, "ms of the database's cpu", calls, how)),
        (f"{name}_wal_bytes", Figure(one.wal_bytes, "bytes", calls, pages)),
        (f"{name}_statements", Figure(one.statements, "statements", calls, how)),
        (f"{name}_commits", Figure(one.commits, "COMMITs", calls, how)),
    ]


async def _claim(
    engine: AsyncEngine, calls: int, kind: str, into: list[Claim] | None = None
) -> None:
    for _ in range(calls):
        claimed = await claim_tasks(engine, "w", [kind], 1, LEASE)
        if into is not None:
            into += claimed


async def _renew(engine: AsyncEngine, claims: Sequence[Claim]) -> None:
    """Each by itself, as a worker with one child does."""
    for claim in claims:
        await renew_leases(engine, [claim], LEASE)


async def _finish(engine: AsyncEngine, claims: Sequence[Claim]) -> None:
    sessions = make_sessions(engine)
    for claim in claims:
        async with tenant_transaction(sessions, claim.tenant_id) as session:
            await finish(session, claim, State.SUCCEEDED)


async def _depth(till: Till, engine: AsyncEngine, calls: int) -> dict[str, Figure]:
    looks = max(10, calls // 20)

    async def look() -> None:
        for _ in range(looks):
            async with engine.connect() as connection:
                await connection.execute(text(DEPTH.text))

    bill = await till.bill_of(look)
    a_thousand = 1000 * bill.cpu_seconds / looks / (QUEUED / 1000)
    how = "the depth of the queue, which the leader counts every 5 s"
    return {"depth_db_ms_per_1000_queued": Figure(a_thousand, "ms", looks, how)}


async def _vacuum(
    admin: "asyncpg.Connection[asyncpg.Record]", till: Till, tenants: Sequence[UUID]
) -> dict[str, Figure]:
    """All queued tasks run and end, by two updates each, and what died is vacuumed."""
    await admin.execute("ALTER TABLE tasks SET (autovacuum_enabled = off)")
    await admin.execute("VACUUM tasks")
    await admin.execute("UPDATE tasks SET state = 'running' WHERE state = 'queued'")
    await admin.execute("UPDATE tasks SET state = 'succeeded' WHERE state = 'running'")
    await admin.execute("SELECT pg_stat_force_next_flush()")
    dead = await admin.fetchval("SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname='tasks'")
    bill = await till.bill_of(lambda: admin.execute("VACUUM tasks"))
    await admin.execute("ALTER TABLE tasks RESET (autovacuum_enabled)")
    how = "VACUUM tasks, after every row was updated twice"
    return {
        "vacuum_db_ms_per_1000_dead": Figure(1e6 * bill.cpu_seconds / dead, "ms", dead, how),
        "vacuum_wal_bytes_per_dead": Figure(bill.wal_bytes / dead, "bytes", dead, how),
    }
