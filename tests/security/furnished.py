"""A tenant that has everything: what a request must find so that it gets beyond a 404."""

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from services.training.app import create_app
from services.training.breakers.fleet import BREAKERS_CHANNEL, Fleet
from services.training.models.bundle import pack
from services.training.models.repr_digest import repr_digest
from services.training.settings import Settings
from shared.breaker import Breakers, BreakerTerms, Outcome
from shared.canonical import sha256_of
from shared.database import PoolLimits, connect_directly, make_engine
from shared.doorbell import Bell, Listener
from shared.roles import WORKER
from tests.conftest import OPERATOR_KEY, Database, Tenant, client_of, make_tenant, settings_for
from tests.jobs.asking import QUICK, sales_rows
from tests.models.made_models import THROUGH, forecast_days, made_bundle
from tests.spool.made_batch import batch_of, nobody_replays

PRODUCTS = ("Croissant", "Baguette")
OF_OPERATORS = ("/api/v1/tenants", "/api/v1/circuit-breakers/")
BREAKER = "weather:made:443"
DOOMED = 5
EFFECTS = {"parts": {"trend": [1.0] * 14, "weekly": [0.5] * 14}}
FORECAST_DAY = (THROUGH + dt.timedelta(days=1)).isoformat()


@dataclass(frozen=True)
class Furnished:
    """The tenant, and the names and ids it has, by the name of the parameter that takes them."""

    app: FastAPI
    tenant: Tenant
    database: Database
    ids: dict[str, list[str]]
    key_id: str
    doomed: dict[str, list[str]]

    @property
    def client(self) -> httpx.AsyncClient:
        return self.tenant.client


def settings_of(database: Database, folder: Path) -> Settings:
    """With room for as many requests as there are, with good keys and bad ones."""
    return settings_for(
        database.api_dsn, folder, allow_private_upstreams=True, attempts_per_minute=10**6
    )


@asynccontextmanager
async def furnished(database: Database, folder: Path) -> AsyncIterator[Furnished]:
    """An API over `database` with such a tenant, for as long as the context lasts."""
    app = create_app(settings_of(database, folder))
    async with app.router.lifespan_context(app), client_of(app, OPERATOR_KEY) as operator:
        yield await furnish(app, database, operator)


def key_for(path: str, there: Furnished) -> str:
    """The key of whom the operation is for."""
    return OPERATOR_KEY if path.startswith(OF_OPERATORS) else there.tenant.key


async def furnish(app: FastAPI, database: Database, operator: httpx.AsyncClient) -> Furnished:
    """Make the tenant, by the API wherever it can."""
    tenant = await make_tenant(app, operator, plan="unlimited")
    ids: dict[str, list[str]] = {"tenant_id": [str(tenant.id)]}
    ids |= await _sell(tenant.client)
    ids |= await _train(tenant.client)
    ids |= await _ask_for_jobs(tenant.client)
    ids |= await _connect_sources(tenant.client)
    applied, rejected = await _spool_batches(app, tenant)
    ids["receipt_id"] = applied
    keys = await sent(tenant.client, "GET", "/api-keys")
    ids |= {"key_id": [await _make_key(tenant.client)], "name": [BREAKER]}
    doomed = {**await _make_doomed(app, operator, tenant.client), "receipt_id": rejected}
    ids["erased"] = [doomed["tenant_id"].pop()]
    await sent(operator, "DELETE", f"/tenants/{ids['erased'][0]}")
    await tell_of_a_breaker(database)
    return Furnished(app, tenant, database, ids, keys["items"][0]["id"], doomed)


async def tell_of_a_breaker(database: Database) -> None:
    """As a worker does that calls an upstream."""
    breakers = Breakers({"weather": BreakerTerms(1, 30)})
    breaker = breakers.of(BREAKER, None, "made:443")
    breaker.settle(breaker.admit(), Outcome.FAILED, "answered 503")
    engine = make_engine(database.worker_dsn, WORKER, PoolLimits(size=1), "a-worker")

    async def connect() -> Any:
        return await connect_directly(database.worker_dsn, WORKER, "a-worker")

    listener = Listener(connect, (BREAKERS_CHANNEL,), Bell(connect), WORKER)
    await Fleet(engine, breakers, listener, WORKER).tell()
    await engine.dispose()


async def _sell(client: httpx.AsyncClient) -> dict[str, list[str]]:
    rows = [row for product in PRODUCTS for row in sales_rows(product)]
    await sent(client, "POST", "/sales", json={"rows": rows})
    day = {"date": rows[-1]["date"], "temperature": 3.5}
    await sent(client, "POST", "/regressors", json={"rows": [day]})
    closing = {"name": "Fair", "dates": ["2025-02-01"]}
    await sent(client, "PUT", "/events/fair", json=closing)
    days = [row["date"] for row in rows[:5]]
    known = {"product": list(PRODUCTS), "location": ["main"], "id": ["fair"]}
    return known | {"sold_on": days, "date": [FORECAST_DAY], "from": [FORECAST_DAY]}


async def _train(client: httpx.AsyncClient) -> dict[str, list[str]]:
    """Two versions, brought in as from another house, and the champion changed twice."""
    made = []
    for number in (1, 2):
        days = [day | {"mean": day["mean"] + 100 * number} for day in forecast_days(days=14)]
        data = pack(made_bundle(product=PRODUCTS[0], forecast=days, effects=EFFECTS))
        headers = {"Repr-Digest": repr_digest(sha256_of(data)), "Content-Type": "application/gzip"}
        answer = await sent(client, "POST", "/models/import", content=data, headers=headers)
        made.append(str(answer["id"]))
    for model_id in made:
        await sent(client, "POST", f"/models/{model_id}/promote")
    return {"model_id": made}


async def _ask_for_jobs(client: httpx.AsyncClient) -> dict[str, list[str]]:
    """One that was cancelled: its stream of events ends."""
    job = await sent(client, "POST", "/training-jobs", json={**QUICK})
    await sent(client, "POST", f"/training-jobs/{job['id']}/cancel")
    return {"job_id": [str(job["id"])]}


async def _connect_sources(client: httpx.AsyncClient) -> dict[str, list[str]]:
    body = {"kind": "http", "base_url": "http://supplier.invalid"}
    await sent(client, "PUT", "/sources/sales", json=body)
    asked = await sent(client, "POST", "/sources/sales/sync")
    return {"sync_id": [str(asked["sync_id"])], "source": ["sales"]}


async def _spool_batches(app: FastAPI, tenant: Tenant) -> tuple[list[str], list[str]]:
    """Receipts of batches that were applied, and of others that were rejected."""
    async with nobody_replays(app) as spool:
        rejected = [await spool.keep(batch_of(tenant.id, {"date": "never"})) for _ in range(DOOMED)]
        for entry in spool.shelf.waiting(tenant.id):
            spool.shelf.reject(entry)
        applied = [
            await spool.keep(batch_of(tenant.id, row)) for row in sales_rows("Brioche", DOOMED)
        ]
    while not await spool.is_drained(tenant.id):
        pass
    return [str(receipt.id) for receipt in applied], [str(receipt.id) for receipt in rejected]


async def _make_key(client: httpx.AsyncClient) -> str:
    made = await sent(client, "POST", "/api-keys", json={"name": "till", "scopes": ["read"]})
    return str(made["id"])


async def _make_doomed(
    app: FastAPI, operator: httpx.AsyncClient, client: httpx.AsyncClient
) -> dict[str, list[str]]:
    """Others of what must not go while requests are made, to go in its place."""
    others = []
    for number in range(DOOMED):
        other = await make_tenant(app, operator, name=f"doomed {number}")
        await other.client.aclose()
        others.append(str(other.id))
    return {"tenant_id": others, "key_id": [await _make_key(client) for _ in range(DOOMED)]}


async def sent(client: httpx.AsyncClient, method: str, path: str, **options: Any) -> dict[str, Any]:
    """The answer's body, which is a success."""
    answer = await client.request(method, f"/api/v1{path}", **options)
    assert answer.is_success, (method, path, answer.status_code, answer.text)
    body: dict[str, Any] = answer.json() if answer.content else {}
    return body
