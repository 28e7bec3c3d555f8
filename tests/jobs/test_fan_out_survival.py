"""A worker killed between two batches of a job leaves no series out, and puts none in twice."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from asyncpg import Connection

from services.training.jobs.collect import BATCH
from tests.conftest import Database
from tests.jobs.asking import check_log, sales_rows
from tests.processes import Programs, programs_on

TOO_NEW = [f"p{number:03}" for number in range(2 * BATCH)]
TO_TRAIN = [f"q{number:03}" for number in range(20)]
JOBS = "/training-jobs"
PATIENCE_SECONDS = 120.0
PUT_IN = "SELECT count(*) FROM tasks WHERE kind = 'train'"
BY_SUBJECT = """
SELECT subject, count(*) AS tasks, min(state) AS state FROM tasks WHERE kind = 'train'
GROUP BY subject ORDER BY subject
"""


@pytest.fixture
async def programs(database: Database, tmp_path: Path) -> AsyncIterator[Programs]:
    settings = {"MORROW_LEASE_SECONDS": "8", "MORROW_RENEW_SECONDS": "2"}
    with programs_on(database, tmp_path, **settings) as opened:
        opened.serve()
        yield opened


@pytest.fixture
async def operator(database: Database) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(database.admin_dsn)
    yield connection
    await connection.close()


async def until_some_are_in(operator: Connection) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await operator.fetchval(PUT_IN):
            await asyncio.sleep(0.002)


async def test_a_worker_killed_between_two_batches_leaves_one_task_a_series(
    programs: Programs, operator: Connection
) -> None:
    doomed = programs.work()
    async with await programs.tenant() as client:
        rows = [row for product in TOO_NEW for row in sales_rows(product, days=5)]
        rows += [row for product in TO_TRAIN for row in sales_rows(product, days=35)]
        assert (await client.post("/sales", json={"rows": rows})).is_success
        asked = await client.post(JOBS, json={"families": ["baseline"], "horizon_days": 7})
        job = asked.json()["id"]
        await until_some_are_in(operator)
        async with operator.transaction():  # the next batch waits for the job's row
            await operator.execute("SELECT 1 FROM jobs FOR UPDATE")
            there = await operator.fetchval(PUT_IN)
            doomed.kill()
        assert 0 < there < len(TOO_NEW + TO_TRAIN)
        programs.work()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (ended := (await client.get(f"{JOBS}/{job}")).json())["finished_at"] is None:
                await asyncio.sleep(0.1)
        events = (await client.get(f"{JOBS}/{job}/events", params={"limit": 1000})).json()["items"]
    counts = ended["products"]
    assert (counts["failed"], counts["succeeded"]) == (len(TOO_NEW), len(TO_TRAIN))
    found = [tuple(row) for row in await operator.fetch(BY_SUBJECT)]
    assert found == [
        *((f"{product} at main", 1, "failed") for product in TOO_NEW),
        *((f"{product} at main", 1, "succeeded") for product in TO_TRAIN),
    ]
    check_log(events)
    assert await operator.fetchval("SELECT attempt FROM tasks WHERE kind = 'prepare'") == 2
