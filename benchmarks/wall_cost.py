"""What the wall between tenants costs on 2 million sales: prints JSON.

    python -m benchmarks.wall_cost [--tenants 50] [--series 40] [--days 1000] [--rounds 400]

Three questions of the product, by its own functions: the history of one series, the batch of series
that a snapshot reads, and the champion's forecast. Each is asked in turns by `morrow_api`, behind
the wall, and by a role that may read the same and has BYPASSRLS, on one server and in one run, of a
tenant and series drawn anew each round. Where the product leaves the tenant to the wall, the role
without it is given the condition that the wall adds, or it would read every tenant's. Wall time is
that of the statements within an open transaction, sent and answered; processor time is that of the
server's process, which other work on the machine disturbs less.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import asyncpg
from sqlalchemy import event, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.orm import ORMExecuteState, with_loader_criteria

import migrations
from benchmarks.claim_speed import processor_seconds
from benchmarks.walled_sales import ASKED, Asking, Stock, stock_tenant
from services.training.tables import Table
from shared.database import (
    PoolLimits,
    Sessions,
    TenantSession,
    make_engine,
    make_sessions,
    tenant_transaction,
)
from shared.postgres import EmbeddedPostgres, RunningPostgres
from shared.roles import API, MIGRATOR

TENANTS, SERIES, DAYS, ROUNDS = 50, 40, 1000, 400
WARM_UP = 20
LARGEST_RATIO = 1.2
UNWALLED = "without_wall"
MAKE_UNWALLED = f"""
CREATE ROLE {UNWALLED} BYPASSRLS;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO {UNWALLED};
GRANT EXECUTE ON FUNCTION app_tenant() TO {UNWALLED};
"""


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds of one question: at the client, and of the server's process."""

    wall: float
    cpu: float


class OpenSession(TenantSession):
    """A session of the role without the wall, which says itself whose rows it wants."""


@event.listens_for(OpenSession, "do_orm_execute")
def _say_whose(state: ORMExecuteState) -> None:
    state.statement = state.statement.options(
        with_loader_criteria(
            Table, lambda table: table.tenant_id == func.app_tenant(), include_aliases=True
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tenants", type=int, default=TENANTS)
    parser.add_argument("--series", type=int, default=SERIES)
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="morrow-bench-") as folder:
        Path(folder).chmod(0o711)
        with EmbeddedPostgres().start(Path(folder) / "pg") as server:
            migrations.upgrade(server.url(MIGRATOR))
            found = run(server, options.tenants, options.series, options.days, options.rounds)
            print(json.dumps(asyncio.run(found), indent=2))


async def run(
    server: RunningPostgres, tenants: int, series: int, days: int, rounds: int
) -> dict[str, object]:
    admin = await asyncpg.connect(server.url())
    stocks = [await stock_tenant(admin, series, days) for _ in range(tenants)]
    await admin.execute("VACUUM ANALYZE")
    await admin.execute(MAKE_UNWALLED)
    rows = await admin.fetchval("SELECT count(*) FROM sales")
    await admin.close()
    asked = {name: await compare(server, ask, stocks, rounds) for name, ask in ASKED.items()}
    worst = {name: max(one[name] for one in asked.values()) for name in ("ratio", "cpu_ratio")}
    return {
        "rows": rows,
        "tenants": tenants,
        "rounds": rounds,
        **asked,
        "largest": worst,
        "target": LARGEST_RATIO,
        "met": worst["ratio"] <= LARGEST_RATIO,
    }


async def compare(
    server: RunningPostgres, ask: Asking, stocks: Sequence[Stock], rounds: int
) -> dict[str, float]:
    """Medians of wall and of the server's processor, in ms, and how many times the one side's are
    the other's; the first rounds only warm up."""
    drawn = Random(2026)  # noqa: S311 - draws questions, guards nothing
    sides = {"walled": engine_of(server, API), "unwalled": engine_of(server, UNWALLED)}
    sessions = {name: make_sessions(engine) for name, engine in sides.items()}
    sessions["unwalled"].configure(sync_session_class=OpenSession)
    took: dict[str, list[Took]] = {name: [] for name in sides}
    for at in range(rounds + WARM_UP):
        stock = drawn.choice(stocks)
        nth = drawn.randrange(len(stock.series))
        for name in sorted(sides, reverse=bool(at % 2)):
            took[name].append(await timed(sessions[name], ask, stock, nth))
    for engine in sides.values():
        await engine.dispose()
    walled, unwalled = (median(took[name][WARM_UP:]) for name in ("walled", "unwalled"))
    return {
        "walled_ms": round(walled.wall * 1e3, 3),
        "unwalled_ms": round(unwalled.wall * 1e3, 3),
        "ratio": round(walled.wall / unwalled.wall, 3),
        "walled_cpu_ms": round(walled.cpu * 1e3, 3),
        "unwalled_cpu_ms": round(unwalled.cpu * 1e3, 3),
        "cpu_ratio": round(walled.cpu / unwalled.cpu, 3),
    }


def engine_of(server: RunningPostgres, role: str) -> AsyncEngine:
    """One connection that acts as `role`; the superuser steps down to what is no login."""
    dsn = server.url(role) if role in server.passwords else server.url()
    return make_engine(dsn, role, PoolLimits(1, max_overflow=0, pre_ping=False), "benchmark")


def median(took: Sequence[Took]) -> Took:
    return Took(
        statistics.median(one.wall for one in took), statistics.median(one.cpu for one in took)
    )


async def timed(sessions: Sessions, ask: Asking, stock: Stock, nth: int) -> Took:
    """What the question's statements took, without what is made of their rows."""
    async with tenant_transaction(sessions, stock.tenant_id) as session:
        connection = await session.connection()  # begins, and names the tenant
        server = await session.scalar(select(func.pg_backend_pid()))
        assert server is not None
        with statements_timed(connection) as statements:
            cpu, began = processor_seconds(server), time.perf_counter()
            rows = await ask(session, stock, nth)
            wall, cpu = time.perf_counter() - began, processor_seconds(server) - cpu
    assert rows, "nothing was read"
    return Took(sum(statements) or wall, cpu)  # a COPY is no statement, and the whole question


@contextmanager
def statements_timed(connection: AsyncConnection) -> Iterator[list[float]]:
    """Seconds of each statement that SQLAlchemy has the driver execute meanwhile."""
    seconds: list[float] = []

    def begin(*_: object) -> None:
        seconds.append(-time.perf_counter())

    def end(*_: object) -> None:
        seconds[-1] += time.perf_counter()

    listeners = {"before_cursor_execute": begin, "after_cursor_execute": end}
    for name, listener in listeners.items():
        event.listen(connection.sync_connection, name, listener)
    yield seconds
    for name, listener in listeners.items():
        event.remove(connection.sync_connection, name, listener)


if __name__ == "__main__":
    main()
