"""Streams that are open: never more than the limit, on all processes together."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from services.training.metering.streams import Streams
from shared.background import running
from shared.database import PoolLimits, make_engine, make_sessions
from shared.errors import Problem
from shared.roles import API
from tests.conftest import Database, Tenant, execute
from tests.jobs.asking import PATIENCE_SECONDS, sales_rows
from tests.metering.test_requests import limit

SOON = timedelta(seconds=1.0)


@pytest.fixture
async def two(database: Database) -> AsyncIterator[tuple[Streams, Streams]]:
    """Those of two processes."""
    engine = make_engine(database.api_dsn, API, PoolLimits(size=4), "tests")
    sessions = make_sessions(engine)
    yield Streams(engine, sessions, SOON, 0.1), Streams(engine, sessions, SOON, 0.1)
    await engine.dispose()


async def until_open(streams: Streams, tenant: Tenant) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                await streams.open(tenant.id)
            except Problem:
                await asyncio.sleep(0.05)
            else:
                return


async def test_at_once_on_two_processes_no_more_are_opened_than_may_be(
    api: httpx.AsyncClient, tenant: Tenant, two: tuple[Streams, Streams]
) -> None:
    await limit(api, tenant.id, streams=5)
    tried = [two[number % 2].open(tenant.id) for number in range(20)]
    outcomes = await asyncio.gather(*tried, return_exceptions=True)
    refused = [each for each in outcomes if isinstance(each, Problem)]
    assert len(refused) == 15
    assert {(each.status, each.code) for each in refused} == {(429, "too_many_streams")}


async def test_what_is_held_stays_counted_and_what_ends_is_free(
    api: httpx.AsyncClient, tenant: Tenant, two: tuple[Streams, Streams]
) -> None:
    await limit(api, tenant.id, streams=1)
    first, second = two
    async with running(first.run(), second.run()):
        stream = await first.open(tenant.id)
        with first.holding(stream):
            await asyncio.sleep(2 * SOON.total_seconds())
            with pytest.raises(Problem):
                await second.open(tenant.id)
        await until_open(second, tenant)


async def test_what_a_killed_process_held_is_free_after_a_while(
    api: httpx.AsyncClient, tenant: Tenant, two: tuple[Streams, Streams]
) -> None:
    await limit(api, tenant.id, streams=1)
    killed, living = two
    stream = await killed.open(tenant.id)
    with killed.holding(stream):
        with pytest.raises(Problem):
            await living.open(tenant.id)
        await until_open(living, tenant)


async def test_one_that_nobody_ever_held_lapses(
    api: httpx.AsyncClient, tenant: Tenant, two: tuple[Streams, Streams]
) -> None:
    await limit(api, tenant.id, streams=1)
    first, second = two
    async with running(first.run()):
        await first.open(tenant.id)
        await until_open(second, tenant)


async def test_over_http_the_stream_too_many_is_refused(
    app: FastAPI, api: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    sent = await tenant.client.post("/api/v1/sales", json={"rows": sales_rows("roll")})
    assert sent.is_success, sent.text
    job = (await tenant.client.post("/api/v1/training-jobs", json={})).json()["id"]
    await tenant.client.post(f"/api/v1/training-jobs/{job}/cancel")
    events = f"/api/v1/training-jobs/{job}/events"
    wanted = {"Accept": "text/event-stream"}
    await limit(api, tenant.id, streams=0)
    refused = await tenant.client.get(events, headers=wanted)
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_streams")
    assert refused.headers["Retry-After"] == "5"
    await limit(api, tenant.id, streams=1)
    for _ in range(3):
        assert (await tenant.client.get(events, headers=wanted)).status_code == 200
        await execute(database.admin_dsn, "UPDATE open_streams SET open_until = now()")
    connection = await asyncpg.connect(database.admin_dsn)
    assert await connection.fetchval("SELECT count(*) FROM open_streams") <= 1
    await connection.close()
