"""One leader at a time, followed soon whatever becomes of it."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import asyncpg
import pytest

from services.training.queue.leader import lead
from services.training.queue.locks import AdvisoryLocks
from shared.database import connect_directly
from shared.roles import WORKER
from tests.conftest import Database
from tests.processes import Program, Programs, programs_on

LOOK = 0.05
PATIENCE = 60.0


def locks_of(database: Database, name: str) -> AdvisoryLocks:
    connect = partial(connect_directly, database.worker_dsn, WORKER, name)
    return AdvisoryLocks(connect, timedelta(seconds=30))


@asynccontextmanager
async def leading(database: Database, name: str, log: list[str]) -> AsyncIterator[None]:
    """A candidate; the log has who leads, and who ceased to."""
    locks = locks_of(database, name)

    async def work() -> None:
        log.append(f"{name} leads")
        try:
            await asyncio.Event().wait()
        finally:
            log.append(f"{name} ceases")

    task = asyncio.create_task(lead(locks, work, LOOK))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        await locks.close()


async def until(log: list[str], *expected: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while log != list(expected):
            await asyncio.sleep(0.01)


async def test_one_leads_and_the_next_follows_when_it_goes(database: Database) -> None:
    log: list[str] = []
    async with AsyncExitStack() as second:
        async with leading(database, "a", log):
            await until(log, "a leads")
            await second.enter_async_context(leading(database, "b", log))
            await asyncio.sleep(4 * LOOK)
            assert log == ["a leads"]
        await until(log, "a leads", "a ceases", "b leads")


async def test_who_loses_its_connection_ceases_before_it_leads_again(database: Database) -> None:
    log: list[str] = []
    async with leading(database, "a", log):
        await until(log, "a leads")
        await cut(database, "a")
        await until(log, "a leads", "a ceases", "a leads")


@pytest.fixture
async def operator(database: Database) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(database.admin_dsn)
    yield connection
    await connection.close()


@pytest.fixture
async def programs(database: Database, tmp_path: Path) -> AsyncIterator[Programs]:
    settings = {
        "MORROW_LEASE_SECONDS": "3",
        "MORROW_RENEW_SECONDS": "1",
        "MORROW_PRUNING_EVERY_SECONDS": "0.5",
        "MORROW_RETAIN_RUNS_DAYS": "1",
    }
    with programs_on(database, tmp_path, **settings) as opened:
        yield opened


@pytest.mark.parametrize("fault", ["kill", "stop", "terminate"])
async def test_a_leader_that_is_lost_is_followed_and_no_turn_is_had_twice(
    programs: Programs,
    operator: "asyncpg.Connection[asyncpg.Record]",
    database: Database,
    fault: str,
) -> None:
    """Killed, frozen beyond its lease and thawed, or cut off by the server."""
    await operator.execute(TENANT)
    workers = [programs.work(), programs.work()]
    first = await leader_of(operator, workers)
    turns = await turns_of(operator)
    match fault:
        case "kill":
            first.kill()
        case "stop":
            first.send(signal.SIGSTOP)
        case "terminate":
            await operator.execute(TERMINATE)
    others = workers if fault == "terminate" else [w for w in workers if w is not first]
    await turns_of(operator, beyond=turns + 3, by=others)
    if fault == "stop":
        first.send(signal.SIGCONT)
        await turns_of(operator, beyond=await turns_of(operator) + 3, by=workers)
    assert await operator.fetchval(LEADERS) == 1


TENANT = """
INSERT INTO tenants (tenant_id, name, slug, country, timezone, plan)
VALUES (gen_random_uuid(), 'a bakery', 'a-bakery', 'DE', 'Europe/Berlin', 'standard')
"""
RUN = "SELECT number, worker, error FROM periodic_runs WHERE name = 'pruning'"
LEADERS = """
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
TERMINATE = """
SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
WHERE l.locktype = 'advisory' AND d.datname = current_database()
"""


async def leader_of(
    operator: "asyncpg.Connection[asyncpg.Record]", workers: list[Program]
) -> Program:
    async with asyncio.timeout(PATIENCE):
        while (run := await operator.fetchrow(RUN)) is None:
            await asyncio.sleep(0.05)
    return next(worker for worker in workers if run["worker"].endswith(f"-{worker.pid}"))


async def turns_of(
    operator: "asyncpg.Connection[asyncpg.Record]",
    beyond: int = 0,
    by: list[Program] | None = None,
) -> int:
    """The number of the last turn, once it is beyond this one and was had by one of these."""
    async with asyncio.timeout(PATIENCE):
        while True:
            run = await operator.fetchrow(RUN)
            assert run is not None
            assert run["error"] is None
            mine = by is None or any(run["worker"].endswith(f"-{each.pid}") for each in by)
            if run["number"] > beyond and mine:
                number: int = run["number"]
                return number
            await asyncio.sleep(0.05)


async def cut(database: Database, application: str) -> None:
    connection = await asyncpg.connect(database.admin_dsn)
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = $1 AND datname = current_database()",
        application,
    )
    await connection.close()
