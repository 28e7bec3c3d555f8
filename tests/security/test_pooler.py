"""Behind a pooler in transaction mode, where strangers share sessions, nobody sees another's rows
and nothing is lost."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.training.app import create_app
from services.training.startup import require_safe_start
from shared.database import PoolLimits, make_engine
from shared.roles import API, WORKER
from tests.conftest import OPERATOR_KEY, Database, client_of, make_tenant, settings_for
from tests.pgbouncer import Pooler
from tests.processes import programs_on

TENANTS = 50
SESSIONS = 5
FIRST_DAY = dt.date(2026, 1, 1)
ENDED = {"succeeded", "failed", "cancelled", "partial"}


@dataclass
class Stranger:
    """One tenant: everything it owns bears its number."""

    number: int
    client: httpx.AsyncClient
    written: int = 0

    @property
    def product(self) -> str:
        return f"bread-{self.number:04}"

    async def write(self) -> None:
        day = FIRST_DAY + dt.timedelta(self.written)
        row = {"date": day.isoformat(), "product": self.product, "quantity": self.number}
        answer = await self.client.post("/api/v1/sales", json={"rows": [row]})
        assert answer.status_code == 200, answer.text
        assert answer.json()["inserted"] == 1
        self.written += 1

    async def read_sales(self) -> None:
        answer = await self.client.get("/api/v1/sales")
        assert answer.status_code == 200, answer.text
        rows = answer.json()["items"]
        assert len(rows) == self.written
        assert {(row["product"], row["quantity"]) for row in rows} <= {(self.product, self.number)}

    async def read_own_name(self) -> None:
        answer = await self.client.get("/api/v1/tenant")
        assert answer.status_code == 200, answer.text
        assert answer.json()["name"] == str(self.number)
        assert answer.json()["usage"]["sales"] == self.written

    async def ask(self, times: int) -> None:
        doings = (self.write, self.read_sales, self.read_own_name)
        for time in range(times):
            await doings[(time + self.number) % len(doings)]()


async def storm(strangers: list[Stranger], requests: int) -> None:
    """All at once, each after its own last answer."""
    times = requests // len(strangers)
    async with asyncio.TaskGroup() as group:
        for stranger in strangers:
            group.create_task(stranger.ask(times))


@pytest.fixture
async def pooled_app(database: Database, pooler: Pooler, tmp_path: Path) -> AsyncIterator[FastAPI]:
    settings = settings_for(
        pooler.url(API, database.name),
        tmp_path,
        direct_database_url=SecretStr(database.api_dsn),
        db_pooler="transaction",
        db_pool_size=30,
    )
    await require_safe_start(settings, API)
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app


async def backends(database: Database) -> dict[str, int]:
    """How many sessions of the service the server holds, by what they call themselves."""
    connection = await asyncpg.connect(database.admin_dsn)
    rows = await connection.fetch(
        "SELECT application_name, count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND usename = 'morrow_api' GROUP BY 1"
    )
    await connection.close()
    return dict(rows)


async def test_fifty_tenants_over_five_sessions_see_their_own_alone(
    pooled_app: FastAPI, database: Database
) -> None:
    async with client_of(pooled_app, OPERATOR_KEY) as operator, AsyncExitStack() as held:
        made = [await make_tenant(pooled_app, operator, name=str(n)) for n in range(TENANTS)]
        strangers = [Stranger(n, tenant.client) for n, tenant in enumerate(made)]
        for stranger in strangers:
            await held.enter_async_context(stranger.client)
        await storm(strangers, 450)  # some 1,200 transactions
    sessions = await backends(database)
    assert sessions.pop("morrow-api-listener") == 1  # past the pooler
    assert sessions.pop("morrow-api-bell") == 1
    assert sum(sessions.values()) == SESSIONS
    assert pooled_app.state.resources.engine.pool.checkedin() > SESSIONS


async def test_no_session_keeps_the_tenant_of_its_last_transaction(
    pooled_app: FastAPI, database: Database, pooler: Pooler
) -> None:
    async with client_of(pooled_app, OPERATOR_KEY) as operator, AsyncExitStack() as held:
        made = [await make_tenant(pooled_app, operator, name=str(n)) for n in range(SESSIONS)]
        strangers = [Stranger(n, tenant.client) for n, tenant in enumerate(made)]
        for stranger in strangers:
            await held.enter_async_context(stranger.client)
        await storm(strangers, 60)
    bare = make_engine(
        pooler.url(API, database.name), API, PoolLimits(SESSIONS, named_statements=False), "bare"
    )

    async def look() -> None:
        with pytest.raises(DBAPIError, match=r"app\.tenant_id|type uuid"):
            async with bare.connect() as connection:
                await connection.execute(text("SELECT * FROM tenants"))

    for _ in range(3):
        await asyncio.gather(*(look() for _ in range(SESSIONS)))
    await bare.dispose()


@pytest.mark.long
async def test_ten_thousand_requests_over_http(
    database: Database, pooler: Pooler, tmp_path: Path
) -> None:
    """And a worker that trains behind the pooler, with its locks and doorbells past it."""
    with programs_on(database, tmp_path, MORROW_DB_POOLER="transaction") as programs:
        programs.settings["MORROW_DB_POOL_SIZE"] = "30"
        programs.settings["MORROW_DATABASE_URL"] = pooler.url(API, database.name)
        programs.settings["MORROW_DIRECT_DATABASE_URL"] = database.api_dsn
        programs.serve()
        async with AsyncExitStack() as held:
            strangers = []
            for number in range(TENANTS):
                client = await held.enter_async_context(
                    await programs.tenant(name=str(number), plan="unlimited")
                )
                client.base_url = httpx.URL(programs.address)
                strangers.append(Stranger(number, client))
            await storm(strangers, 10_000)
            assert sum((await backends(database)).values()) == SESSIONS + 2
            programs.settings["MORROW_DATABASE_URL"] = pooler.url(WORKER, database.name)
            programs.settings["MORROW_DIRECT_DATABASE_URL"] = database.worker_dsn
            programs.work()
            await train(await held.enter_async_context(await programs.tenant(name="trained")))


async def train(client: httpx.AsyncClient) -> None:
    days = [FIRST_DAY + dt.timedelta(n) for n in range(120)]
    rows = [
        {"date": f"{day}", "product": "rye", "quantity": 40 + 25 * (day.weekday() > 4) + n % 5}
        for n, day in enumerate(days)
    ]
    sent = await client.post("/sales", json={"rows": rows})
    assert sent.status_code == 200, sent.text
    asked = await client.post("/training-jobs", json={"horizon_days": 7})
    assert asked.status_code == 202, asked.text
    async with asyncio.timeout(120):
        while (job := await read_job(client, asked.json()["id"]))["status"] not in ENDED:
            await asyncio.sleep(0.2)
    assert job["status"] == "succeeded", job


async def read_job(client: httpx.AsyncClient, job_id: str) -> dict[str, Any]:
    answer = await client.get(f"/training-jobs/{job_id}")
    assert answer.status_code == 200, answer.text
    return answer.json()
