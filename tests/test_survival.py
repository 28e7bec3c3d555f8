"""Jobs outlive the processes that serve and work: killed, restarted, drained or frozen."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from asyncpg import Connection, Record

from tests.conftest import Database
from tests.jobs.asking import check_log, sales_rows
from tests.processes import Program, Programs, programs_on

PRODUCTS = [f"p{number}" for number in range(6)]
WANTED = {"families": ["prophet"], "max_trials": 1, "horizon_days": 7}
LEASE_SECONDS = 3.0
PATIENCE_SECONDS = 90.0
JOBS = "/training-jobs"


@pytest.fixture
async def programs(database: Database, tmp_path: Path) -> AsyncIterator[Programs]:
    settings = {
        "MORROW_LEASE_SECONDS": str(LEASE_SECONDS),
        "MORROW_RENEW_SECONDS": "1",
        "MORROW_DRAIN_SECONDS": "0",
    }
    with programs_on(database, tmp_path, **settings) as opened:
        opened.serve()
        yield opened


@pytest.fixture
async def client(programs: Programs) -> AsyncIterator[httpx.AsyncClient]:
    async with await programs.tenant() as opened:
        rows = [row for product in PRODUCTS for row in sales_rows(product, days=70)]
        assert (await opened.post("/sales", json={"rows": rows})).is_success
        yield opened


@pytest.fixture
async def operator(database: Database) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(database.admin_dsn)
    yield connection
    await connection.close()


async def ask(client: httpx.AsyncClient) -> str:
    answer = await client.post(JOBS, json=WANTED)
    assert answer.status_code == 202, answer.text
    job_id: str = answer.json()["id"]
    return job_id


async def until(condition: Callable[[], Any]) -> None:
    """Until the coroutine that `condition` makes answers with something true."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await condition():
            await asyncio.sleep(0.05)


async def ended(client: httpx.AsyncClient, job: str) -> bool:
    return (await client.get(f"{JOBS}/{job}")).json()["finished_at"] is not None


async def trainings_of(operator: Connection, worker: Program) -> list[Record]:
    """What the worker trains now, as the database has it."""
    rows: list[Record] = await operator.fetch(
        "SELECT id, subject, attempt FROM tasks "
        "WHERE kind = 'train' AND state = 'running' AND worker LIKE '%-' || $1",
        str(worker.pid),
    )
    return rows


async def freeze_in_mid_training(operator: Connection, worker: Program) -> list[Record]:
    """Stop the worker while it trains; what it was at."""

    async def frozen() -> bool:
        if not await trainings_of(operator, worker):
            return False
        worker.send(signal.SIGSTOP)
        if await trainings_of(operator, worker):
            return True
        worker.send(signal.SIGCONT)
        return False

    await until(frozen)
    return await trainings_of(operator, worker)


async def check_that_all_were_trained_once(client: httpx.AsyncClient, job: str) -> dict[str, int]:
    """Every product succeeded with just one version, that which its task names; the attempts."""
    items = (await client.get(f"{JOBS}/{job}/products", params={"limit": 100})).json()["items"]
    assert {item["product"]: item["state"] for item in items} == dict.fromkeys(
        PRODUCTS, "succeeded"
    )
    models = (await client.get("/models", params={"limit": 100})).json()["items"]
    assert {m["product"]: (m["id"], m["version"]) for m in models} == {
        item["product"]: (item["model_id"], 1) for item in items
    }
    assert len(models) == len(PRODUCTS)
    events = (await client.get(f"{JOBS}/{job}/events")).json()["items"]
    check_log(events)
    assert events[-1]["type"] == "job.finished"
    assert sum(event["type"] == "product.trained" for event in events) == len(PRODUCTS)
    return {f"{item['product']} at main": item["attempt"] for item in items}


async def test_a_job_goes_on_while_the_api_is_killed_and_started_again(
    programs: Programs, client: httpx.AsyncClient, operator: Connection
) -> None:
    [api] = programs.started
    worker = programs.work()
    job = await ask(client)
    await until(lambda: trainings_of(operator, worker))
    api.kill()
    programs.serve()
    await until(lambda: ended(client, job))
    await check_that_all_were_trained_once(client, job)


async def test_the_products_of_a_killed_worker_are_trained_by_another(
    programs: Programs, client: httpx.AsyncClient, operator: Connection
) -> None:
    doomed, other = programs.work(), programs.work()
    job = await ask(client)
    lost = await freeze_in_mid_training(operator, doomed)
    doomed.kill()
    await until(lambda: ended(client, job))
    attempts = await check_that_all_were_trained_once(client, job)
    assert [attempts[row["subject"]] for row in lost] == [row["attempt"] + 1 for row in lost]
    assert other.process.poll() is None


async def test_a_worker_that_freezes_beyond_its_lease_publishes_nothing_stale(
    programs: Programs, client: httpx.AsyncClient, operator: Connection
) -> None:
    """Its children go on meanwhile: their answers lie ready when it wakes."""
    frozen, other = programs.work(), programs.work()
    job = await ask(client)
    lost = await freeze_in_mid_training(operator, frozen)
    await until(lambda: ended(client, job))
    before = await check_that_all_were_trained_once(client, job)
    assert all(before[row["subject"]] > row["attempt"] for row in lost)
    frozen.send(signal.SIGCONT)
    other.kill()
    again = await ask(client)
    await until(lambda: ended(client, again))
    said = frozen.said()
    assert "stale_publish" in said or "lease_ended" in said or "lock_connection_lost" in said
    assert await check_that_all_were_trained_once(client, job) == before
    assert (await client.get(f"{JOBS}/{again}")).json()["products"]["skipped"] == len(PRODUCTS)


async def test_who_keeps_a_jobs_row_beyond_a_lease_costs_no_attempt(
    programs: Programs, client: httpx.AsyncClient, operator: Connection
) -> None:
    """Those who wait for the row keep none that the renewal of their leases needs."""
    worker = programs.work()
    job = await ask(client)
    await until(lambda: trainings_of(operator, worker))
    async with operator.transaction():
        await operator.execute("SELECT 1 FROM jobs WHERE id = $1 FOR UPDATE", UUID(job))
        await asyncio.sleep(1.5 * LEASE_SECONDS)
    await until(lambda: ended(client, job))
    assert set((await check_that_all_were_trained_once(client, job)).values()) == {1}
    assert "not renewed in time" not in worker.said()


async def test_a_drained_worker_hands_back_what_it_runs_and_burns_no_attempt(
    programs: Programs, client: httpx.AsyncClient, operator: Connection
) -> None:
    leaving = programs.work()
    job = await ask(client)
    await until(lambda: trainings_of(operator, leaving))
    leaving.send(signal.SIGTERM)
    assert leaving.ended() == 0
    left = await operator.fetch(
        "SELECT attempt FROM tasks WHERE state <> 'succeeded' AND kind = 'train'"
    )
    assert len(left) > 0
    assert {row["attempt"] for row in left} == {0}
    programs.work()
    await until(lambda: ended(client, job))
    assert set((await check_that_all_were_trained_once(client, job)).values()) == {1}


async def test_a_worker_given_time_to_drain_finishes_what_it_runs_and_starts_nothing(
    programs: Programs, client: httpx.AsyncClient, operator: Connection
) -> None:
    programs.settings["MORROW_DRAIN_SECONDS"] = "60"
    leaving = programs.work()
    job = await ask(client)
    await until(lambda: trainings_of(operator, leaving))
    leaving.send(signal.SIGTERM)
    leaving.wait_for("worker_draining")
    assert leaving.ended() == 0
    states = await operator.fetch(
        "SELECT state, attempt, count(*) FROM tasks WHERE kind = 'train' GROUP BY 1, 2"
    )
    assert {(row["state"], row["attempt"]) for row in states} <= {("succeeded", 1), ("queued", 0)}
    assert ("succeeded", 1) in {(row["state"], row["attempt"]) for row in states}
    programs.work()
    await until(lambda: ended(client, job))
    assert set((await check_that_all_were_trained_once(client, job)).values()) == {1}
