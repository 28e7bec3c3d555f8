"""Who sees which breakers, and who may reset them."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from services.training.breakers.fleet import BREAKERS_CHANNEL, Fleet
from shared.breaker import Breakers, BreakerTerms, Outcome
from shared.database import PoolLimits, connect_directly, make_engine
from shared.doorbell import Bell, Listener
from shared.roles import WORKER
from tests.breaker.fake_clock import FakeClock
from tests.conftest import Database, Tenant, client_of, execute, make_tenant
from tests.cut_wire import wire_to

TERMS = {
    "sales": BreakerTerms(1, 60, owned=True),
    "weather": BreakerTerms(1, 30),
}


class Process:
    """What a worker has of it, without the work; it tells when it is told to."""

    def __init__(self, dsn: str) -> None:
        self.clock = FakeClock()
        self.breakers = Breakers(TERMS, self.clock)
        self.engine = make_engine(dsn, WORKER, PoolLimits(size=1), "a-process")
        connect = partial(connect_directly, dsn, WORKER, "a-process")
        listener = Listener(connect, (BREAKERS_CHANNEL,), Bell(connect), WORKER)
        self.fleet = Fleet(self.engine, self.breakers, listener, WORKER, self.clock, patience=0.5)

    def call(self, name: str, owner: UUID | None = None, *, fails: bool = False) -> None:
        breaker = self.breakers.of(name, owner, "made:443")
        outcome = Outcome.FAILED if fails else Outcome.SUCCEEDED
        breaker.settle(breaker.admit(), outcome, "answered 503")


@pytest.fixture
async def process(database: Database) -> AsyncIterator[Process]:
    made = Process(database.worker_dsn)
    yield made
    await made.engine.dispose()


async def names_seen_by(client: httpx.AsyncClient) -> list[tuple[str, str | None]]:
    answer = await client.get("/api/v1/circuit-breakers")
    assert answer.status_code == 200, answer.text
    return [(item["name"], item["tenant_id"]) for item in answer.json()["items"]]


async def test_a_tenant_sees_its_own_and_the_shared_ones_and_the_operator_all(
    app: FastAPI, api: httpx.AsyncClient, tenant: Tenant, process: Process
) -> None:
    other = await make_tenant(app, api, name="Konditorei")
    process.call("weather:shared:443")
    process.call("weather:made:443", tenant.id)
    for owner in (tenant.id, other.id):
        process.call(f"sales:{owner}", owner)
    await process.fleet.tell()

    shared, theirs = ("weather:shared:443", None), (f"sales:{other.id}", str(other.id))
    ours = [(f"sales:{tenant.id}", str(tenant.id)), ("weather:made:443", str(tenant.id))]
    assert sorted(await names_seen_by(tenant.client)) == sorted([*ours, shared])
    async with other.client:
        assert sorted(await names_seen_by(other.client)) == sorted([theirs, shared])
    assert sorted(await names_seen_by(api)) == sorted([*ours, theirs, shared])
    async with client_of(app, None) as nobody:
        assert (await nobody.get("/api/v1/circuit-breakers")).status_code == 401


async def test_only_the_operator_resets_and_only_what_there_is(
    api: httpx.AsyncClient, tenant: Tenant, process: Process
) -> None:
    name = f"sales:{tenant.id}"
    process.call(name, tenant.id, fails=True)
    await process.fleet.tell()
    assert (await tenant.client.post(f"/api/v1/circuit-breakers/{name}/reset")).status_code == 403
    unknown = await api.post("/api/v1/circuit-breakers/sales:nobody/reset")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "circuit_breaker_not_found")
    await process.fleet.tell()
    assert (await only_one(tenant.client))["state"] == "open"

    assert (await api.post(f"/api/v1/circuit-breakers/{name}/reset")).status_code == 202
    await process.fleet.tell()
    await process.fleet.tell()
    assert (await only_one(tenant.client))["state"] == "closed"


async def only_one(client: httpx.AsyncClient) -> dict[str, object]:
    answer = await client.get("/api/v1/circuit-breakers")
    [item] = answer.json()["items"]
    found: dict[str, object] = item
    return found


async def test_one_reset_closes_once_and_the_next_again(
    api: httpx.AsyncClient, process: Process
) -> None:
    path = "/api/v1/circuit-breakers/weather:x:443/reset"
    for _ in range(2):
        process.call("weather:x:443", fails=True)
        await process.fleet.tell()
        assert (await api.post(path)).status_code == 202
        await process.fleet.tell()
    process.call("weather:x:443", fails=True)
    for _ in range(3):
        await process.fleet.tell()
    assert (await only_one(api))["state"] == "open"


async def test_what_has_waited_long_enough_is_no_longer_called_open(
    api: httpx.AsyncClient, process: Process
) -> None:
    process.call("weather:x:443", fails=True)
    process.clock.advance(29)
    await process.fleet.tell()
    since = (await only_one(api))["since"]
    process.clock.advance(0.5)
    await process.fleet.tell()
    assert await only_one(api) == await only_one(api)
    assert (await only_one(api))["since"] == since, "no heartbeat moves it"
    process.clock.advance(0.5)
    await process.fleet.tell()
    assert (await only_one(api))["state"] == "half_open"


async def test_new_calls_do_not_move_since_when_it_is_as_it_is(
    api: httpx.AsyncClient, process: Process
) -> None:
    process.call("weather:x:443")
    await process.fleet.tell()
    before = await only_one(api)
    process.clock.advance(50)
    process.call("weather:x:443")
    await process.fleet.tell()
    after = await only_one(api)
    assert (before["calls"], after["calls"]) == (1, 2)
    assert after["since"] == before["since"]


async def test_the_last_one_that_dies_is_told_of_no_more_either(
    database: Database, api: httpx.AsyncClient, process: Process
) -> None:
    process.call("weather:x:443")
    await process.fleet.tell()
    back = "UPDATE breaker_instances SET seen_at = now() - interval '%d seconds'"
    await execute(database.admin_dsn, back % 8)
    assert await names_seen_by(api) == [("weather:x:443", None)]
    await execute(database.admin_dsn, back % 16)
    assert await names_seen_by(api) == []


async def test_the_page_ends_and_goes_on(api: httpx.AsyncClient, process: Process) -> None:
    for number in range(5):
        process.call(f"weather:host-{number}:443")
    await process.fleet.tell()
    seen, cursor = [], None
    while True:
        params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await api.get("/api/v1/circuit-breakers", params=params)).json()
        seen += [item["name"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [f"weather:host-{number}:443" for number in range(5)]


@pytest.mark.parametrize("cursor", ["x", "WyJhIiwgImIiXQ", "WyJcdTAwMDAiLCAiYiJd"])
async def test_no_cursor_of_anothers_making_breaks_it(api: httpx.AsyncClient, cursor: str) -> None:
    answer = await api.get("/api/v1/circuit-breakers", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "bad_cursor")


async def test_what_an_erased_tenant_had_is_not_told_again(
    api: httpx.AsyncClient, tenant: Tenant, process: Process
) -> None:
    process.call(f"sales:{tenant.id}", tenant.id)
    await process.fleet.tell()
    erased = await api.delete(f"/api/v1/tenants/{tenant.id}?dry_run=false")
    assert erased.json()["rows"]["circuit_breakers"] == 1
    await process.fleet.tell()
    assert await names_seen_by(api) == []


async def test_who_is_silent_is_forgotten_by_the_others(
    database: Database, process: Process
) -> None:
    process.call("weather:x:443")
    await process.fleet.tell()
    back = "UPDATE breaker_instances SET seen_at = now() - interval '16 seconds'"
    await execute(database.admin_dsn, back)
    other = Process(database.worker_dsn)
    await other.fleet.tell()
    await other.engine.dispose()
    connection = await asyncpg.connect(database.admin_dsn)
    left = await connection.fetchval("SELECT count(*) FROM circuit_breakers")
    instances = await connection.fetch("SELECT instance FROM breaker_instances")
    await connection.close()
    assert left == 0
    assert [row["instance"] for row in instances] == [other.fleet.instance]


async def test_what_was_forgotten_while_it_slept_is_told_again(
    database: Database, api: httpx.AsyncClient, process: Process
) -> None:
    """As when it was stopped and went on: for itself nothing has changed."""
    process.call("weather:x:443")
    await process.fleet.tell()
    await execute(database.admin_dsn, "DELETE FROM circuit_breakers")
    process.clock.advance(5)
    await process.fleet.tell()
    assert await names_seen_by(api) == []
    process.clock.advance(55)
    await process.fleet.tell()
    assert await names_seen_by(api) == [("weather:x:443", None)]


async def test_what_did_not_change_is_not_written_again(
    database: Database, process: Process
) -> None:
    process.call("weather:x:443")
    written = set()
    for _ in range(3):
        process.clock.advance(60)
        await process.fleet.tell()
        connection = await asyncpg.connect(database.admin_dsn)
        written.add(await connection.fetchval("SELECT xmin::text FROM circuit_breakers"))
        await connection.close()
    assert len(written) == 1


async def test_the_wall_stands_for_those_who_ask_the_tables(
    database: Database, tenant: Tenant, process: Process
) -> None:
    process.call(f"sales:{tenant.id}", tenant.id)
    process.call("weather:x:443")
    await process.fleet.tell()
    connection = await asyncpg.connect(database.api_dsn)
    counts = {}
    for asking in (tenant.id, uuid4()):
        await connection.execute("SELECT set_config('app.tenant_id', $1, false)", str(asking))
        counts[asking] = await connection.fetchval("SELECT count(*) FROM circuit_breakers")
    await connection.close()
    assert list(counts.values()) == [1, 0]


async def test_who_is_cut_off_gives_up_and_tells_once_it_is_heard_again(
    database: Database,
    api: httpx.AsyncClient,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The cut itself is silent: an answer just does not come."""
    async with wire_to(database.worker_dsn, tmp_path) as (wire, through):
        process = Process(through)
        await process.fleet.tell()
        wire.cut()
        telling = asyncio.ensure_future(process.fleet.run())
        process.call("weather:x:443", fails=True)
        async with asyncio.timeout(30):
            while "breakers_untold" not in caplog.text:
                await asyncio.sleep(0.05)
        assert await names_seen_by(api) == []
        wire.mend()
        async with asyncio.timeout(30):
            while not await names_seen_by(api):
                process.breakers.on_change()
                await asyncio.sleep(0.05)
        assert (await only_one(api))["state"] == "open"
        telling.cancel()
        await asyncio.wait([telling])
        await process.engine.dispose()
