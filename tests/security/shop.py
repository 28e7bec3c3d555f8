"""A tenant that is given everything the product holds, through the API and the worker's stores."""

import asyncio
import datetime as dt
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx
from fastapi import FastAPI

from services.training import tables
from services.training.breakers.fleet import BREAKERS_CHANNEL
from services.training.models.repr_digest import repr_digest
from services.training.queue.periodic import Turn
from services.training.retraining.policy import RETRAINING
from services.training.retraining.turn import retrain_due
from services.training.sources.sales.orders import KEEP
from shared.auth import Scope
from shared.canonical import sha256_of
from shared.database import Sessions, tenant_transaction
from shared.doorbell import Bell
from tests.conftest import BAKERY, client_of
from tests.jobs.asking import FIRST_DAY, sales_rows
from tests.security.holdings import Keys, Marks
from tests.security.made import WITH_POOL, WITHOUT_POOL, bundle_bytes
from tests.security.supplier import Supplier
from tests.sources.upstreams import stand
from tests.spool.made_batch import batch_of

BASE = "/api/v1"
PRODUCTS, DAYS = 5, 150
ENOUGH = {"requests_per_minute": 100_000}
SOURCES = ("sales", "weather", "traffic")


@dataclass(frozen=True)
class Shop:
    marks: Marks
    id: UUID
    slug: str
    key: str
    app: FastAPI
    client: httpx.AsyncClient
    erased: str
    receipts: dict[str, str] = field(default_factory=dict)

    async def ask(self, method: str, path: str, **request: Any) -> Any:
        answer = await self.client.request(method, f"{BASE}{path}", **request)
        assert answer.is_success, (method, path, answer.text)
        return answer.json() if answer.content else None

    @property
    def products(self) -> list[str]:
        return [self.marks.name(f"roll{number}") for number in range(PRODUCTS)]

    @property
    def location(self) -> str:
        return self.marks.name("street")


async def open_shop(app: FastAPI, api: httpx.AsyncClient, marks: Marks) -> Shop:
    body = BAKERY | {"name": marks.name("bakery"), "plan": "unlimited"}
    gone, made = [(await api.post(f"{BASE}/tenants", json=body)).json() for _ in range(2)]
    await api.delete(f"{BASE}/tenants/{gone['tenant']['id']}")
    tenant, key = made["tenant"], made["api_key"]
    await api.patch(f"{BASE}/tenants/{tenant['id']}", json={"limits": ENOUGH})
    client = client_of(app, key)
    return Shop(marks, UUID(tenant["id"]), tenant["slug"], key, app, client, gone["tenant"]["id"])


async def fill_at_work(shop: Shop) -> None:
    """What a worker is needed for."""
    await _tell_catalogue(shop)
    await _send_sales(shop)
    for wanted in (WITH_POOL, WITHOUT_POOL):
        await _train(shop, wanted)
    await _pull(shop)


async def fill_at_rest(shop: Shop, worker: Sessions, bell: Bell) -> None:
    """What no worker may take up."""
    await _bring_in_models(shop)
    await _spool(shop)
    await _keep_order_and_terms(shop, worker)
    await _fall_due(shop, worker, bell)
    job = (await shop.ask("GET", "/training-jobs"))["items"][0]
    await shop.ask("POST", "/stream-tickets", json={"job_id": job["id"]})


async def _tell_catalogue(shop: Shop) -> None:
    marks = shop.marks
    place = {"name": marks.name("corner"), "latitude": 54.3, "longitude": 10.1}
    await shop.ask("PUT", f"/locations/{shop.location}", json=place)
    bread = {"name": marks.name("rye"), "category": marks.name("bread"), "price": marks.number}
    await shop.ask("PUT", f"/products/{shop.products[0]}", json=bread)
    feast = {"name": marks.name("feast"), "dates": [str(FIRST_DAY)], "locations": [shop.location]}
    await shop.ask("PUT", f"/events/{marks.name('fair')}", json=feast)


async def _send_sales(shop: Shop) -> None:
    more = shop.marks.number / 1000
    rows = [
        row | {f"{shop.marks.word}_hours": shop.marks.number, "quantity": row["quantity"] + more}
        for product in shop.products
        for row in sales_rows(product, DAYS, shop.location)
    ]
    await shop.ask("POST", "/sales", json={"rows": rows})
    corrected = rows[5] | {"quantity": shop.marks.number}
    await shop.ask("POST", "/sales", json={"rows": [corrected]})
    known = {"date": str(FIRST_DAY), "location": shop.location, "price": shop.marks.number}
    await shop.ask("POST", "/regressors", json={"rows": [known]})


async def _train(shop: Shop, wanted: dict[str, Any]) -> None:
    key = {"Idempotency-Key": f"{shop.marks.word}-{wanted['families'][0]}"}
    job = await shop.ask("POST", "/training-jobs", json=wanted, headers=key)
    ended = await _ended(shop, f"/training-jobs/{job['id']}")
    assert ended["products"]["succeeded"] == PRODUCTS, ended


async def _pull(shop: Shop) -> None:
    async with stand(Supplier(shop.marks)) as supplier:
        for source in SOURCES:
            secret = f"{shop.marks.word}-credential"
            body = {"kind": "http", "base_url": supplier.url, "credentials": secret}
            await shop.ask("PUT", f"/sources/{source}", json=body)
            key = {"Idempotency-Key": f"{shop.marks.word}-{source}"}
            asked = await shop.ask("POST", f"/sources/{source}/sync", headers=key)
            await _synced(shop, f"/sources/{source}/syncs/{asked['sync_id']}")
    while len((await shop.ask("GET", "/circuit-breakers"))["items"]) < len(SOURCES):
        shop.app.state.resources.bell.ring(BREAKERS_CHANNEL)
        await asyncio.sleep(0.05)


async def _synced(shop: Shop, path: str) -> None:
    sync = await _ended(shop, path)
    assert sync["status"] == "succeeded", sync


async def _ended(shop: Shop, path: str) -> Any:
    while (shown := await shop.ask("GET", path))["finished_at"] is None:
        await asyncio.sleep(0.05)
    return shown


async def _bring_in_models(shop: Shop) -> None:
    """A champion, one before it, and a challenger."""
    for number in range(3):
        data = bundle_bytes(shop.marks, shop.products[0], shop.location, number)
        headers = {"Content-Type": "application/gzip", "Repr-Digest": repr_digest(sha256_of(data))}
        model = await shop.ask("POST", "/models/import", content=data, headers=headers)
        if number < 2:
            await shop.ask("POST", f"/models/{model['id']}/promote")


async def _spool(shop: Shop) -> None:
    """One batch that was applied, and one that was rejected."""
    row = {"date": str(FIRST_DAY), "product": shop.marks.name("spooled"), "quantity": 1}
    for rows in ([row], [row, row | {"quantity": 2}]):
        batch = batch_of(shop.id, *rows)
        await shop.app.state.spool.keep(batch)
        path = f"/spool/{batch.header.receipt_id}"
        while (status := (await shop.ask("GET", path))["status"]) == "waiting":
            pass
        shop.receipts[status] = str(batch.header.receipt_id)


async def _keep_order_and_terms(shop: Shop, worker: Sessions) -> None:
    order = {
        "order_id": [f"{shop.marks.word}-order"],
        "location": [shop.location],
        "product": [shop.products[0]],
        "day": [FIRST_DAY],
        "quantity": [shop.marks.number],
    }
    async with tenant_transaction(worker, shop.id) as session:
        await session.execute(KEEP, order)
    async with tenant_transaction(shop.app.state.resources.sessions, shop.id) as session:
        session.add(tables.QueueTerms(tenant_id=shop.id, weight=shop.marks.number / 10_000))
        until = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
        session.add(tables.OpenStream(tenant_id=shop.id, id=uuid4(), open_until=until))


async def _fall_due(shop: Shop, worker: Sessions, bell: Bell) -> None:
    """New rows, and the turn that asks for a job because of them: nobody will take it up."""
    policy = {"new_rows": 1, "cooldown_hours": 0, "max_age_days": int(shop.marks.number / 10)}
    await shop.ask("PUT", "/retraining-policy", json=policy)
    later = sales_rows(shop.products[0], DAYS + 1, shop.location)[-1:]
    await shop.ask("POST", "/sales", json={"rows": later})
    await retrain_due(worker, bell, await _turn(shop, worker))


async def _turn(shop: Shop, worker: Sessions) -> Turn:
    """The turn that is next: the worker gave some already."""
    async with tenant_transaction(worker, shop.id) as session:
        run = await session.get(tables.PeriodicRun, (shop.id, RETRAINING))
    number = 0 if run is None else run.number
    return Turn(shop.id, RETRAINING, number, f"{shop.marks.word}-worker", dt.timedelta(hours=1))


async def cut_keys(shop: Shop) -> Keys:
    """A key for each scope, and one that was revoked; the caller lets the last expire."""

    async def cut(name: str, *scopes: Scope) -> dict[str, Any]:
        wanted = {"name": shop.marks.name(name), "scopes": [scope.value for scope in scopes]}
        made: dict[str, Any] = await shop.ask("POST", "/api-keys", json=wanted)
        return made

    of_scope = {scope: (await cut(scope.value, scope))["key"] for scope in Scope}
    revoked = await cut("revoked", *Scope)
    await shop.ask("DELETE", f"/api-keys/{revoked['id']}")
    expired = await cut("expired", *Scope)
    return Keys(shop.key, of_scope, revoked["key"], expired["key"])
