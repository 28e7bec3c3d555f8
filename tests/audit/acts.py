"""Every act that can be asked for over HTTP, done once, and what the record is to say of it."""

import base64
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import httpx
from fastapi import FastAPI

from services.training.audit.action import Action
from services.training.models.bundle import pack
from tests.conftest import BAKERY, Database, Tenant, execute
from tests.models.conftest import Shop
from tests.models.made_models import made_bundle
from tests.spool.made_batch import batch_of, nobody_replays

BASE: Final = "/api/v1"
SECRET: Final = "canary-of-a-credential"
JOBS: Final = f"{BASE}/training-jobs"
NO_SOURCES: Final = {"kind": "http", "base_url": "https://till.example", "credentials": SECRET}


@dataclass(frozen=True)
class Stage:
    """Who acts, and on what. `api` is the operator's client."""

    app: FastAPI
    api: httpx.AsyncClient
    tenant: Tenant
    shop: Shop
    database: Database

    @property
    def client(self) -> httpx.AsyncClient:
        return self.tenant.client


async def create_tenant(stage: Stage) -> httpx.Response:
    return await stage.api.post(f"{BASE}/tenants", json=BAKERY)


async def erase_tenant(stage: Stage) -> httpx.Response:
    made = (await create_tenant(stage)).json()["tenant"]["id"]
    return await stage.api.delete(f"{BASE}/tenants/{made}")


async def change_tenant(stage: Stage) -> httpx.Response:
    return await stage.api.patch(f"{BASE}/tenants/{stage.tenant.id}", json={"plan": "unlimited"})


async def create_key(stage: Stage) -> httpx.Response:
    body = {"name": "till", "scopes": ["read"]}
    return await stage.client.post(f"{BASE}/api-keys", json=body)


async def revoke_key(stage: Stage) -> httpx.Response:
    made = (await create_key(stage)).json()["id"]
    return await stage.client.delete(f"{BASE}/api-keys/{made}")


async def rotate_key(stage: Stage) -> httpx.Response:
    made = (await create_key(stage)).json()["id"]
    return await stage.client.post(f"{BASE}/api-keys/{made}/rotate")


async def recover_key(stage: Stage) -> httpx.Response:
    body = {"name": "found again", "scopes": ["admin"]}
    return await stage.api.post(f"{BASE}/tenants/{stage.tenant.id}/api-keys", json=body)


async def put_location(stage: Stage) -> httpx.Response:
    body = {"name": "North", "latitude": 54.0, "longitude": 10.0}
    return await stage.client.put(f"{BASE}/locations/north", json=body)


async def put_product(stage: Stage) -> httpx.Response:
    return await stage.client.put(f"{BASE}/products/roll", json={"price": 1.5})


async def put_event(stage: Stage) -> httpx.Response:
    body = {"name": "Fair", "dates": ["2026-05-01"]}
    return await stage.client.put(f"{BASE}/events/fair", json=body)


async def connect_source(stage: Stage) -> httpx.Response:
    return await stage.client.put(f"{BASE}/sources/sales", json=NO_SOURCES)


async def ask_for_sync(stage: Stage) -> httpx.Response:
    await connect_source(stage)
    return await stage.client.post(f"{BASE}/sources/sales/sync")


async def create_job(stage: Stage) -> httpx.Response:
    sold = [{"date": "2026-01-02", "product": "roll", "quantity": 3}]
    await stage.client.post(f"{BASE}/sales", json={"rows": sold})
    return await stage.client.post(JOBS, json={})


async def cancel_job(stage: Stage) -> httpx.Response:
    made = (await create_job(stage)).json()["id"]
    return await stage.client.post(f"{JOBS}/{made}/cancel")


async def import_model(stage: Stage) -> httpx.Response:
    data = pack(made_bundle(trials=[{"made": "elsewhere"}]))
    digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
    headers = {"Content-Type": "application/gzip", "Repr-Digest": f"sha-256=:{digest}:"}
    return await stage.client.post(f"{BASE}/models/import", content=data, headers=headers)


async def promote_model(stage: Stage) -> httpx.Response:
    first = await stage.shop.train("first")
    await stage.shop.train("second")
    return await stage.client.post(f"{BASE}/models/{first.id}/promote")


async def roll_back_model(stage: Stage) -> httpx.Response:
    await stage.shop.train("third")
    return await stage.client.post(f"{BASE}/models/rollback", json={"product": "Croissant"})


async def verify_models(stage: Stage) -> httpx.Response:
    stage.shop.damage(await stage.shop.train("fourth", product="Baguette"))
    return await stage.client.post(f"{BASE}/models/verify")


async def discard_rejected(stage: Stage) -> httpx.Response:
    async with nobody_replays(stage.app) as spool:
        await spool.keep(batch_of(stage.tenant.id, {"date": "2026-01-02"}))
        (entry,) = spool.shelf.waiting(stage.tenant.id)
        spool.shelf.reject(entry)
        return await stage.client.delete(f"{BASE}/spool/{entry.receipt_id}")


async def put_policy(stage: Stage) -> httpx.Response:
    return await stage.client.put(f"{BASE}/retraining-policy", json={"new_rows": 7})


async def reset_breaker(stage: Stage) -> httpx.Response:
    await execute(
        stage.database.admin_dsn,
        "INSERT INTO circuit_breakers (tenant_id, name, instance, upstream, state, since, "
        "failure_rate, slow_rate, calls, opened_count) VALUES "
        "('00000000-0000-0000-0000-000000000000', 'weather', 'w', 'u', 'open', now(), 1, 0, 9, 1)",
    )
    return await stage.api.post(f"{BASE}/circuit-breakers/weather/reset")


Act = Callable[[Stage], Awaitable[httpx.Response]]

ACTS: Final[dict[str, tuple[Act, Action]]] = {
    "POST /tenants": (create_tenant, Action.TENANT_CREATED),
    "DELETE /tenants/{tenant_id}": (erase_tenant, Action.TENANT_ERASED),
    "PATCH /tenants/{tenant_id}": (change_tenant, Action.LIMITS_CHANGED),
    "POST /api-keys": (create_key, Action.KEY_CREATED),
    "DELETE /api-keys/{key_id}": (revoke_key, Action.KEY_REVOKED),
    "POST /api-keys/{key_id}/rotate": (rotate_key, Action.KEY_ROTATED),
    "POST /tenants/{tenant_id}/api-keys": (recover_key, Action.KEY_RECOVERED),
    "PUT /locations/{location}": (put_location, Action.LOCATION_PUT),
    "PUT /products/{product}": (put_product, Action.PRODUCT_PUT),
    "PUT /events/{id}": (put_event, Action.EVENT_PUT),
    "PUT /sources/{source}": (connect_source, Action.SOURCE_CONNECTED),
    "POST /sources/{source}/sync": (ask_for_sync, Action.SYNC_ASKED),
    "POST /training-jobs": (create_job, Action.JOB_CREATED),
    "POST /training-jobs/{job_id}/cancel": (cancel_job, Action.JOB_CANCELLED),
    "POST /models/import": (import_model, Action.MODEL_IMPORTED),
    "POST /models/{model_id}/promote": (promote_model, Action.MODEL_PROMOTED),
    "POST /models/rollback": (roll_back_model, Action.MODEL_ROLLED_BACK),
    "POST /models/verify": (verify_models, Action.MODEL_QUARANTINED),
    "DELETE /spool/{receipt_id}": (discard_rejected, Action.SPOOL_DISCARDED),
    "PUT /retraining-policy": (put_policy, Action.RETRAINING_POLICY_CHANGED),
    "POST /circuit-breakers/{name}/reset": (reset_breaker, Action.BREAKER_RESET),
}

QUIET: Final[dict[str, str]] = {
    "POST /sales": "rows are data: each correction keeps what it replaced, and usage counts rows",
    "POST /regressors": "rows are data, as sales are",
    "POST /stream-tickets": "lets who may read it anyway read once, within a minute",
}
"""What leaves no entry, and why."""
