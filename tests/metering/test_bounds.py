"""Bounds of every request: its size, its depth, its values, and its time."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from services.training.app import create_app
from shared.request_bounds import MOST_HEADER_BYTES, MOST_QUERY_VALUES
from tests.conftest import OPERATOR_KEY, Database, Tenant, client_of, make_tenant, settings_for
from tests.jobs.asking import PATIENCE_SECONDS, sales_rows
from tests.metering.test_requests import limit
from tests.processes import Programs, programs_on

LARGE = {"/api/v1/sales", "/api/v1/regressors", "/api/v1/models/import"}
ID = "00000000-0000-0000-0000-000000000000"


def operations(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Every method and path that takes a body of a route of ours."""
    for path, methods in app.openapi()["paths"].items():
        for method, operation in methods.items():
            if "requestBody" in operation and path not in LARGE:
                for parameter in operation.get("parameters", []):
                    if parameter["in"] == "path":
                        values = parameter["schema"].get("enum", [ID])
                        path = path.replace("{" + parameter["name"] + "}", values[0])
                yield method.upper(), path


async def pieces(size: int) -> AsyncIterator[bytes]:
    """As many bytes, of which nobody says how many they are."""
    for _ in range(0, size, 2**16):
        yield b" " * 2**16


async def ask(app: FastAPI, tenant: Tenant, method: str, path: str, **rest: Any) -> httpx.Response:
    headers = {"Content-Type": "application/json", **rest.pop("headers", {})}
    key = OPERATOR_KEY if path.startswith("/api/v1/tenants") else tenant.key
    async with client_of(app, key) as client:
        return await client.request(method, path, headers=headers, **rest)


async def test_every_body_is_refused_once_it_is_too_large(app: FastAPI, tenant: Tenant) -> None:
    asked = list(operations(app))
    assert len(asked) >= 8
    for method, path in asked:
        announced = await ask(app, tenant, method, path, content=b" " * (2**20 + 1))
        streamed = await ask(app, tenant, method, path, content=pieces(2**21))
        for answer in (announced, streamed):
            assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large"), path


async def test_no_depth_and_no_number_of_keys_breaks_a_route(app: FastAPI, tenant: Tenant) -> None:
    deep = b"[" * 200_000
    nested = b'{"a":' * 90_000 + b"1" + b"}" * 90_000
    wide = b"{" + b",".join(b'"k%d":1' % number for number in range(80_000)) + b"}"
    for method, path in operations(app):
        for body in (deep, nested, wide, b"[" * 900 + b"]" * 900):
            answer = await ask(app, tenant, method, path, content=body)
            assert answer.status_code in {404, 409, 422}, (path, answer.text)
            assert answer.headers["content-type"] == "application/problem+json"


async def test_an_import_is_held_to_the_tenants_own_size(
    app: FastAPI, api: httpx.AsyncClient, tenant: Tenant
) -> None:
    await limit(api, tenant.id, body_bytes=100_000, import_rows=5)
    bomb = gzip.compress(b" " * 50_000_000)
    assert len(bomb) < 100_000
    packed = {"Content-Encoding": "gzip"}
    for path in ("/api/v1/sales", "/api/v1/regressors"):
        for rest in (
            {"content": b" " * 100_001},
            {"content": pieces(200_000)},
            {"content": bomb, "headers": packed},
        ):
            answer = await ask(app, tenant, "POST", path, **rest)
            assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    rows = {"rows": sales_rows("roll")[:6]}
    answer = await ask(app, tenant, "POST", "/api/v1/sales", json=rows)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_many_rows")


@pytest.mark.parametrize(
    ("query", "headers", "status", "code"),
    [
        ("a=" + "b" * 20_000, {}, 414, "uri_too_long"),
        ("&".join(["q=1"] * (MOST_QUERY_VALUES + 1)), {}, 414, "too_many_values"),
        ("", {"X-Much": "x" * MOST_HEADER_BYTES}, 431, "headers_too_large"),
    ],
)
async def test_what_is_too_long_is_refused_by_every_route(
    app: FastAPI, tenant: Tenant, query: str, headers: dict[str, str], status: int, code: str
) -> None:
    for path in ("/api/v1/forecasts", "/api/v1/tenant", "/health/live", "/api/v1/nothing"):
        answer = await ask(app, tenant, "GET", f"{path}?{query}", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.fixture
async def locker(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """Who can keep everybody else from a table."""
    connection = await asyncpg.connect(database.admin_dsn)
    yield connection
    await connection.close()


async def test_a_request_that_waits_too_long_for_the_database_is_ended(
    database: Database, tmp_path: Path, locker: asyncpg.Connection
) -> None:
    app = create_app(settings_for(database.api_dsn, tmp_path, request_seconds=2))
    async with app.router.lifespan_context(app), client_of(app, OPERATOR_KEY) as api:
        tenant = await make_tenant(app, api)
        async with locker.transaction():
            await locker.execute("LOCK TABLE products IN ACCESS EXCLUSIVE MODE")
            for answer in (
                await tenant.client.get("/api/v1/products"),
                await tenant.client.put("/api/v1/products/p", json={}),
                await tenant.client.post("/api/v1/sales", json={"rows": sales_rows("roll")}),
            ):
                assert (answer.status_code, answer.json()["code"]) == (504, "deadline_exceeded")
        assert (await tenant.client.get("/api/v1/products")).status_code == 200


@pytest.fixture
async def served(database: Database, tmp_path: Path) -> AsyncIterator[Programs]:
    """No deadline ends anything here."""
    with programs_on(database, tmp_path, MORROW_REQUEST_SECONDS="3600") as programs:
        await asyncio.to_thread(programs.serve)
        yield programs


async def until_waiting(connection: asyncpg.Connection, count: int) -> None:
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
        "AND application_name = 'morrow-api' AND datname = current_database()"
    )
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await connection.fetchval(waiting) != count:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("path", "table"), [("/products", "products"), ("/sales?format=csv", "sales")]
)
async def test_who_goes_away_stops_the_query(
    served: Programs, database: Database, locker: asyncpg.Connection, path: str, table: str
) -> None:
    watching = await asyncpg.connect(database.admin_dsn)
    async with await served.tenant() as client:
        assert (await client.post("/sales", json={"rows": sales_rows("roll")})).is_success
        async with locker.transaction():
            await locker.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            asking = asyncio.create_task(client.get(path))
            await until_waiting(watching, 1)
            asking.cancel()
            await asyncio.wait({asking})
            await until_waiting(watching, 0)
        assert (await client.get(path)).status_code == 200
    await watching.close()
