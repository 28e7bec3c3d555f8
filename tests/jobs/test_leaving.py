"""What a worker leaves behind when it is hurried, or its job cancelled: nothing."""

import asyncio
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import date, timedelta
from pathlib import Path

import asyncpg
import pytest
from asyncpg import Connection
from httpx import AsyncClient

from services.training.queue.leader import LEADERSHIP
from tests.conftest import Database
from tests.jobs.asking import sales_rows
from tests.process_life import all_end, children_of, cpu_seconds
from tests.processes import Program, Programs, programs_on

LONG = {"families": ["prophet"], "max_trials": 200, "optimizer": "random", "horizon_days": 28}
YEARS = timedelta(weeks=156)  # back, so that no day is still to come
PRODUCTS = [f"p{number}" for number in range(24)]
JOBS = "/training-jobs"
PATIENCE_SECONDS = 60.0
CHILD_AT_WORK_SECONDS = 0.2
LOCKS = (
    "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database "
    "WHERE locktype = 'advisory' AND datname = current_database() "
    f"AND (classid::bigint << 32 | objid::bigint) <> hashtextextended('{LEADERSHIP}', 0)"
)

AT_WORK = (
    "SELECT coalesce(array_agg(id ORDER BY id), '{}') FROM tasks "
    "WHERE kind = 'train' AND state = 'running'"
)


@pytest.fixture
async def operator(database: Database) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(database.admin_dsn)
    yield connection
    await connection.close()


@pytest.fixture
def temporary() -> Iterator[Path]:
    """Where the worker puts its temporary files: a short path, for it has sockets there."""
    with tempfile.TemporaryDirectory(prefix="morrow-left-") as folder:
        yield Path(folder)


@pytest.fixture
async def programs(database: Database, tmp_path: Path, temporary: Path) -> AsyncIterator[Programs]:
    settings = {"MORROW_DRAIN_SECONDS": "600", "TMPDIR": str(temporary)}
    with programs_on(database, tmp_path, **settings) as opened:
        opened.serve()
        yield opened


@pytest.fixture
async def client(programs: Programs) -> AsyncIterator[AsyncClient]:
    async with await programs.tenant() as opened:
        rows = [row for product in PRODUCTS for row in sales_rows(product, days=900)]
        past = [row | {"date": str(date.fromisoformat(row["date"]) - YEARS)} for row in rows]
        sent = await opened.post("/sales", json={"rows": past})
        assert sent.is_success, sent.text
        yield opened


async def in_training(client: AsyncClient, operator: Connection, worker: Program) -> str:
    """A job that a child of the worker's trains just now."""
    answer = await client.post(JOBS, json=LONG)
    assert answer.status_code == 202, answer.text
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (await operator.fetchval(LOCKS) and any(map(has_worked, family_of(worker)))):
            await asyncio.sleep(0.01)
    job: str = answer.json()["id"]
    return job


def family_of(worker: Program) -> list[int]:
    """The children at work; not the fork server, which stays."""
    servers = [pid for pid in children_of(worker.pid) if children_of(pid)]
    return [child for server in servers for child in children_of(server)]


def has_worked(pid: int) -> bool:
    """Longer than a child needs to start."""
    return cpu_seconds(pid) > CHILD_AT_WORK_SECONDS


async def held_at_work(worker: Program, operator: Connection) -> list[int]:
    """The children, stopped, each with a task: one that is idle is given the next."""
    family = family_of(worker)
    for child in family:
        os.kill(child, signal.SIGSTOP)
    before: list[int] = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(before) < len(family) or before != await operator.fetchval(AT_WORK):
            before = await operator.fetchval(AT_WORK)
            await asyncio.sleep(1.0)
    return family


async def test_a_second_sigterm_hands_back_at_once(
    programs: Programs, client: AsyncClient, operator: Connection
) -> None:
    worker = programs.work()
    await in_training(client, operator, worker)
    family = [*family_of(worker), *children_of(worker.pid)]
    worker.send(signal.SIGTERM)
    worker.wait_for("worker_draining")
    worker.send(signal.SIGTERM)
    assert worker.ended() == 0
    left = await operator.fetch("SELECT state, attempt FROM tasks WHERE kind = 'train'")
    back = [row for row in left if row["state"] != "succeeded"]
    assert len(back) > 0
    assert {(row["state"], row["attempt"]) for row in back} == {("queued", 0)}
    assert all_end(family)
    assert await operator.fetchval(LOCKS) == 0


async def test_a_cancelled_job_leaves_no_process_no_lock_and_no_file(
    programs: Programs,
    client: AsyncClient,
    operator: Connection,
    tmp_path: Path,
    temporary: Path,
) -> None:
    """Cancelled through the other of two API processes than the one that was asked."""
    worker = programs.work()
    first, programs.port = programs.port, 0
    programs.serve()
    assert programs.port != first
    job = await in_training(client, operator, worker)
    family = await held_at_work(worker, operator)
    key = {"Authorization": client.headers["authorization"]}
    async with AsyncClient(base_url=f"{programs.address}/api/v1", headers=key) as elsewhere:
        cancelled = await elsewhere.post(f"{JOBS}/{job}/cancel")
    assert cancelled.json()["status"] == "cancelled"
    assert all_end(family)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await operator.fetchval(LOCKS):
            await asyncio.sleep(0.01)
    assert await operator.fetchval("SELECT count(*) FROM tasks WHERE state = 'running'") == 0
    files = [path for path in temporary.rglob("*") if path.is_file()]
    assert files == []
    assert not [path for path in (tmp_path / "models").rglob("*") if ".part" in path.name]
