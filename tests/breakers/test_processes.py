"""The truth of all processes, from any of them: real ones, that call, die, and are reset."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.conftest import OPERATOR_KEY, Database, Tenant, client_of, execute
from tests.processes import Programs, programs_on
from tests.upstream.made_upstream import Answer, Asked, MadeUpstream, good, made_upstream

ROOT = Path(__file__).parents[2]
NAME = "weather:made:80"
PATIENCE_SECONDS = 30

Shown = dict[str, Any]


class Caller:
    def __init__(self, process: Process) -> None:
        self.process = process

    async def call(self) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(b"call\n")
        async with asyncio.timeout(PATIENCE_SECONDS):
            return (await self.process.stdout.readline()).decode().strip()

    async def until(self, answer: str) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await self.call() != answer:
                await asyncio.sleep(0.02)


@asynccontextmanager
async def calling(database: Database, upstream: MadeUpstream) -> AsyncIterator[Caller]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.breakers.caller"),
        *(database.worker_dsn, upstream.url, NAME, "-"),
        stdin=PIPE,
        stdout=PIPE,
        cwd=ROOT,
    )
    try:
        yield Caller(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.fixture
async def programs(database: Database, tmp_path: Path) -> AsyncIterator[Programs]:
    with programs_on(database, tmp_path) as made:
        await asyncio.to_thread(made.serve)
        yield made


async def shown(client: httpx.AsyncClient) -> Shown | None:
    answer = await client.get("/circuit-breakers")
    assert answer.status_code == 200, answer.text
    items = answer.json()["items"]
    assert len(items) <= 1
    return items[0] if items else None


async def shown_when(client: httpx.AsyncClient, true: Callable[[Shown | None], bool]) -> Shown:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not true(found := await shown(client)):
            await asyncio.sleep(0.02)
    return found or {}


def has_states(*states: str) -> Callable[[Shown | None], bool]:
    def check(found: Shown | None) -> bool:
        instances = found["instances"] if found else []
        return sorted(one["state"] for one in instances) == sorted(states)

    return check


async def test_any_process_tells_of_all_and_a_reset_reaches_all(
    database: Database, programs: Programs
) -> None:
    well = False
    async with (
        made_upstream(lambda asked: Answer(200 if well else 503)) as upstream,
        calling(database, upstream) as first,
        calling(database, upstream) as second,
        programs.client(OPERATOR_KEY) as operator,
    ):
        assert [await first.call() for _ in range(4)] == ["upstream_status"] * 3 + ["upstream_open"]
        assert await second.call() == "upstream_status"
        seen = await shown_when(operator, has_states("open", "closed"))
        assert (seen["name"], seen["state"], seen["calls"]) == (NAME, "open", 4)
        assert seen["upstream"] == f"127.0.0.1:{upstream.port}"
        assert (seen["failure_rate"], seen["opened_count"]) == (1.0, 1)
        assert seen["last_error"] == "answered 503"

        assert [await second.call() for _ in range(3)][-1] == "upstream_open"
        await shown_when(operator, has_states("open", "open"))
        well, before = True, len(upstream.asked)
        answer = await operator.post(f"/circuit-breakers/{NAME}/reset")
        assert answer.status_code == 202
        for caller in (first, second):
            await caller.until("succeeded")
        assert len(upstream.asked) == before + 2
        seen = await shown_when(operator, has_states("closed", "closed"))
        assert (seen["state"], seen["opened_count"]) == ("closed", 2)
        assert {one["role"] for one in seen["instances"]} == {"worker"}


async def test_who_died_is_told_of_no_more(database: Database, app: FastAPI) -> None:
    """Its silence is made longer by turning its own entry back: no test waits that long."""
    async with (
        made_upstream(lambda asked: Answer(503)) as upstream,
        client_of(app, OPERATOR_KEY) as operator,
        calling(database, upstream) as doomed,
        calling(database, upstream) as other,
    ):
        operator.base_url = "http://morrow/api/v1"
        for _ in range(3):
            await doomed.call()
        await other.call()
        await shown_when(operator, has_states("open", "closed"))
        doomed.process.kill()
        await doomed.process.wait()
        await execute(
            database.admin_dsn,
            "UPDATE breaker_instances i SET seen_at = seen_at - interval '20 seconds' "
            "FROM circuit_breakers b WHERE b.instance = i.instance AND b.state = 'open'",
        )
        seen = await shown_when(operator, has_states("closed"))
        assert seen["state"] == "closed"
        assert await other.call() == "upstream_status"
        assert await other.call() == "upstream_status"
        await shown_when(operator, has_states("open"))


async def test_a_worker_tells_of_the_source_that_failed_it(
    database: Database, app: FastAPI, tenant: Tenant, tmp_path: Path
) -> None:
    well = False

    def answer(asked: Asked) -> Answer:
        return good({"items": [], "next_cursor": None}) if well else Answer(503)

    terms = {"MORROW_ALLOW_PRIVATE_UPSTREAMS": "1", "MORROW_BREAKER_SALES_FAILURES": "1"}
    async with made_upstream(answer) as upstream, client_of(app, OPERATOR_KEY) as operator:
        operator.base_url = tenant.client.base_url = "http://morrow/api/v1"
        with programs_on(database, tmp_path, **terms) as programs:
            await asyncio.to_thread(programs.work)
            source = {"kind": "http", "base_url": upstream.url}
            assert (await tenant.client.put("/sources/sales", json=source)).status_code == 200
            assert (await tenant.client.post("/sources/sales/sync")).status_code == 202
            seen = await shown_when(tenant.client, has_states("open"))
            slug = (await tenant.client.get("/tenant")).json()["slug"]
            assert (seen["name"], seen["tenant_id"]) == (f"sales:{slug}", str(tenant.id))
            assert seen["instances"][0]["role"] == "worker"
            [shown_source] = (await tenant.client.get("/sources")).json()["items"][:1]
            assert shown_source["breaker"] == {"name": f"sales:{slug}", "state": "open"}
            well = True
            await operator.post(f"/circuit-breakers/sales:{slug}/reset")
            await shown_when(tenant.client, has_states("closed"))
            assert (await tenant.client.post("/sources/sales/sync")).status_code == 202
            seen = await shown_when(tenant.client, lambda found: bool(found and found["calls"]))
            assert (seen["state"], seen["failure_rate"]) == ("closed", 0)
