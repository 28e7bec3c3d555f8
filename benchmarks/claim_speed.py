"""How long a claim takes with 100,000 tasks queued, before and after a million have ended: JSON.

    python -m benchmarks.claim_speed [--queued 100000] [--finished 1000000] [--claims 2000]

Each claim is timed at the client, from the call until its commit is on disk, on a private
PostgreSQL that syncs; then what was claimed is finished, untimed. `cpu_ms` is what the server's
process took a claim, which other work on the machine disturbs less. The finished million went the
way of all tasks (queued, running, succeeded), with autovacuum as the table has it set.

fresh, aged    the next task of 100 tenants, before and after the million
no_work        a lane that nothing is queued for
all_capped     every tenant runs as many as it may: nothing to claim behind any of the 100,000
front_capped   the front belongs to one tenant who may run no more, the rest to 99 others
overdue        backfill that waited too long behind interactive work
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

import migrations
from services.training.queue.claim import USUAL, Rules, claim_tasks
from services.training.queue.finish import finish
from services.training.queue.task import State
from shared.database import PoolLimits, make_engine, make_sessions, tenant_transaction
from shared.postgres import EmbeddedPostgres, RunningPostgres
from shared.roles import MIGRATOR, WORKER

QUEUED = 100_000
FINISHED = 1_000_000
CLAIMS = 2_000
TENANTS = 100
AT_ONCE = 20_000
MOST_MS = 2.0
LARGEST_RATIO = 2.0
FIGURES = ("cpu", "median", "p99")
LEASE = timedelta(minutes=10)

ADD_TENANT = """
INSERT INTO tenants (tenant_id, name, slug, country, timezone, plan)
VALUES ($1, 'a bakery', $2, 'DE', 'Europe/Berlin', 'standard')
"""
ADD_TASKS = """
INSERT INTO tasks (
  tenant_id, group_id, kind, subject, unique_key, payload, priority, start_tag, state, created_at
)
SELECT ($1::uuid[])[1 + n % cardinality($1)], gen_random_uuid(), 'train', 'product ' || n, n::text,
  jsonb_build_object('dataset', repeat('0', 64), 'config', repeat('x', 200)),
  $3, $4 + n / cardinality($1), 'queued', now() - $5::interval
FROM generate_series(0, $2 - 1) AS n
"""
RUN_ALL = """
UPDATE tasks SET state = 'running', fence = 1, attempt = 1, worker = 'w', started_at = now(),
  lease_until = now() + interval '1 hour' WHERE state = 'queued'
"""
END_ALL = """
UPDATE tasks SET state = 'succeeded', result = '{"family": "combine"}', lease_until = NULL,
  finished_at = now() WHERE state = 'running'
"""
DEAD = "SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'tasks'"


@dataclass(frozen=True, slots=True)
class Claims:
    """How long each took, and what all of them took of the server's processor."""

    seconds: Sequence[float]
    cpu: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queued", type=int, default=QUEUED)
    parser.add_argument("--finished", type=int, default=FINISHED)
    parser.add_argument("--claims", type=int, default=CLAIMS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="morrow-bench-") as folder:
        Path(folder).chmod(0o711)
        with EmbeddedPostgres().start(Path(folder) / "pg") as server:
            migrations.upgrade(server.url(MIGRATOR))
            found = run(server, options.queued, options.finished, options.claims)
            print(json.dumps(asyncio.run(found), indent=2))


async def run(
    server: RunningPostgres, queued: int, finished: int, claims: int
) -> dict[str, object]:
    admin = await asyncpg.connect(server.url())
    engine = make_engine(
        server.url(WORKER), WORKER, PoolLimits(size=1, max_overflow=0, pre_ping=False), "benchmark"
    )
    tenants = [await add_tenant(admin) for _ in range(TENANTS)]
    await add_tasks(admin, tenants, queued)
    seconds = {"fresh": await time_claims(engine, claims)}
    await admin.execute("DELETE FROM tasks")
    took = await finish_many(admin, tenants, finished)
    await add_tasks(admin, tenants, queued)
    seconds["aged"] = await time_claims(engine, claims)
    seconds["no_work"] = await time_claims(engine, claims, kind="prepare")
    nothing = Rules(most_running=0)
    seconds["all_capped"] = await time_claims(engine, claims, rules=nothing)
    seconds["front_capped"] = await time_front_capped(admin, engine, tenants, claims)
    seconds["overdue"] = await time_overdue(admin, engine, tenants, claims)
    await engine.dispose()
    await admin.close()
    return report(queued, finished, took, seconds)


async def add_tenant(admin: "asyncpg.Connection[asyncpg.Record]") -> UUID:
    tenant_id = uuid4()
    await admin.execute(ADD_TENANT, tenant_id, tenant_id.hex)
    return tenant_id


async def add_tasks(
    admin: "asyncpg.Connection[asyncpg.Record]",
    tenants: Sequence[UUID],
    count: int,
    priority: int = 0,
    first_tag: float = 0.0,
    waited: timedelta = timedelta(0),
) -> None:
    await admin.execute(ADD_TASKS, tenants, count, priority, first_tag, waited)


async def finish_many(
    admin: "asyncpg.Connection[asyncpg.Record]", tenants: Sequence[UUID], count: int
) -> float:
    """Take so many tasks through their states; the seconds until autovacuum is through as well."""
    begun = time.perf_counter()
    for _ in range(0, count, AT_ONCE):
        await add_tasks(admin, tenants, min(AT_ONCE, count))
        await admin.execute(RUN_ALL)
        await admin.execute(END_ALL)
    async with asyncio.timeout(300):
        while await admin.fetchval(DEAD) > AT_ONCE:  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(1)
    return time.perf_counter() - begun


async def time_claims(
    engine: AsyncEngine, claims: int, kind: str = "train", rules: Rules = USUAL
) -> Claims:
    """One claim of one task after the other; what is claimed is finished at once."""
    seconds = []
    sessions = make_sessions(engine)
    cpu = 0.0
    for _ in range(claims):
        pid = await backend_pid(engine)
        before, begun = processor_seconds(pid), time.perf_counter()
        claimed = await claim_tasks(engine, "w", [kind], 1, LEASE, rules)
        seconds.append(time.perf_counter() - begun)
        cpu += processor_seconds(pid) - before
        for claim in claimed:
            async with tenant_transaction(sessions, claim.tenant_id) as session:
                await finish(session, claim, State.SUCCEEDED)
    return Claims(seconds, cpu)


async def backend_pid(engine: AsyncEngine) -> int:
    """Of the one connection of the pool."""
    async with engine.connect() as connection:
        return (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()


def processor_seconds(pid: int) -> float:
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


async def time_front_capped(
    admin: "asyncpg.Connection[asyncpg.Record]",
    engine: AsyncEngine,
    tenants: Sequence[UUID],
    claims: int,
) -> Claims:
    """One tenant has a backlog before all others, and may run none of it."""
    greedy = await add_tenant(admin)
    await admin.execute("INSERT INTO queue_terms (tenant_id, most_running) VALUES ($1, 0)", greedy)
    await add_tasks(admin, [greedy], QUEUED, first_tag=-2.0 * QUEUED)
    seconds = await time_claims(engine, claims)
    await admin.execute("DELETE FROM tasks WHERE tenant_id = $1", greedy)
    return seconds


async def time_overdue(
    admin: "asyncpg.Connection[asyncpg.Record]",
    engine: AsyncEngine,
    tenants: Sequence[UUID],
    claims: int,
) -> Claims:
    await add_tasks(admin, tenants, QUEUED, priority=2, waited=timedelta(days=1))
    return await time_claims(engine, claims)


def report(
    queued: int, finished: int, took: float, measured: dict[str, Claims]
) -> dict[str, object]:
    found = {name: quantiles(claims) for name, claims in measured.items()}
    by_name = {name: found["aged"][f"{name}_ms"] / found["fresh"][f"{name}_ms"] for name in FIGURES}
    return {
        "benchmark": "claim_speed",
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "queued": queued,
        "finished": finished,
        "tenants": TENANTS,
        "finishing_s": round(took, 1),
        **found,
        "aged_to_fresh": {name: round(value, 2) for name, value in by_name.items()},
        "kept": {
            "p99_within_2_ms": found["fresh"]["p99_ms"] < MOST_MS,
            "aged_within_2x": by_name["p99"] <= LARGEST_RATIO,
        },
    }


def quantiles(claims: Claims) -> dict[str, float]:
    cuts = statistics.quantiles(claims.seconds, n=100)
    return {
        "cpu_ms": round(1000 * claims.cpu / len(claims.seconds), 3),
        "median_ms": round(1000 * statistics.median(claims.seconds), 3),
        "p99_ms": round(1000 * cuts[98], 3),
    }


if __name__ == "__main__":
    main()
