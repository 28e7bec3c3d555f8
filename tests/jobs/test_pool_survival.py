"""The pool of a job outlives the worker that learns it."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from asyncpg import Connection, Record

from tests.conftest import Database
from tests.jobs.asking import check_log, sales_rows
from tests.processes import Program, Programs, programs_on

PRODUCTS = [f"p{number}" for number in range(5)]
PATIENCE_SECONDS = 60.0
JOBS = "/training-jobs"


@pytest.fixture
async def programs(database: Database, tmp_path: Path) -> AsyncIterator[Programs]:
    settings = {
        "MORROW_LEASE_SECONDS": "3",
        "MORROW_RENEW_SECONDS": "1",
        "MORROW_DRAIN_SECONDS": "0",
    }
    with programs_on(database, tmp_path, **settings) as opened:
        opened.serve()
        yield opened


@pytest.fixture
async def client(programs: Programs) -> AsyncIterator[httpx.AsyncClient]:
    async with await programs.tenant() as opened:
        rows = [row for product in PRODUCTS for row in sales_rows(product, days=150)]
        assert (await opened.post("/sales", json={"rows": rows})).is_success
        yield opened


@pytest.fixture
async def operator(database: Database) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(database.admin_dsn)
    yield connection
    await connection.close()


async def ask(client: httpx.AsyncClient) -> str:
    answer = await client.post(JOBS, json={"families": ["pooled"], "horizon_days": 7})
    assert answer.status_code == 202, answer.text
    job_id: str = answer.json()["id"]
    return job_id


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await condition():
            await asyncio.sleep(0.02)


async def ended(client: httpx.AsyncClient, job: str) -> bool:
    return (await client.get(f"{JOBS}/{job}")).json()["finished_at"] is not None


async def pool_task(operator: Connection) -> Record | None:
    return await operator.fetchrow("SELECT state, attempt FROM tasks WHERE kind = 'pool'")


async def is_learning(operator: Connection) -> bool:
    task = await pool_task(operator)
    return task is not None and task["state"] == "running"


async def has_noticed(worker: Program) -> bool:
    """That the claim is no longer its own: by a renewal of its lease, or by what it wrote."""
    return "lease_ended" in worker.said() or "stale_publish" in worker.said()


async def check_that_all_trained_with_the_pool(
    client: httpx.AsyncClient, operator: Connection, job: str
) -> None:
    found = (await client.get(f"{JOBS}/{job}")).json()
    assert (found["status"], found["warnings"]) == ("succeeded", [])
    assert found["products"]["succeeded"] == len(PRODUCTS)
    pools = await operator.fetch(
        "SELECT DISTINCT payload->>'pools' AS sha256 FROM tasks WHERE kind = 'train'"
    )
    assert [row["sha256"] is not None for row in pools] == [True]
    check_log((await client.get(f"{JOBS}/{job}/events")).json()["items"])


async def test_the_pool_of_a_killed_worker_is_learnt_by_another(
    programs: Programs, client: httpx.AsyncClient, operator: Connection
) -> None:
    doomed = programs.work()
    job = await ask(client)
    await until(lambda: is_learning(operator))
    doomed.kill()
    programs.work()
    await until(lambda: ended(client, job))
    await check_that_all_trained_with_the_pool(client, operator, job)
    task = await pool_task(operator)
    assert task is not None
    assert (task["state"], task["attempt"]) == ("succeeded", 2)


async def test_a_worker_that_freezes_over_its_pool_lets_nobody_in_when_it_wakes(
    programs: Programs, client: httpx.AsyncClient, operator: Connection
) -> None:
    frozen = programs.work()
    job = await ask(client)
    await until(lambda: is_learning(operator))
    frozen.send(signal.SIGSTOP)
    programs.work()
    await until(lambda: ended(client, job))
    await check_that_all_trained_with_the_pool(client, operator, job)
    before = await operator.fetch("SELECT * FROM tasks ORDER BY id")
    frozen.send(signal.SIGCONT)
    await until(lambda: has_noticed(frozen))
    assert await operator.fetch("SELECT * FROM tasks ORDER BY id") == before


async def test_a_drained_worker_hands_its_pool_back_and_burns_no_attempt(
    programs: Programs, client: httpx.AsyncClient, operator: Connection
) -> None:
    leaving = programs.work()
    job = await ask(client)
    await until(lambda: is_learning(operator))
    leaving.send(signal.SIGTERM)
    assert leaving.ended() == 0
    left = await operator.fetch(
        "SELECT DISTINCT kind, state, attempt FROM tasks WHERE kind <> 'prepare' ORDER BY kind"
    )
    assert [tuple(row) for row in left] == [("pool", "queued", 0), ("train", "held", 0)]
    programs.work()
    await until(lambda: ended(client, job))
    await check_that_all_trained_with_the_pool(client, operator, job)
