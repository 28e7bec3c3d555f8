"""What waits comes in once and in order; what cannot come in is told, and stops nobody else."""

import asyncio
import json
from typing import Any
from uuid import UUID, uuid4

import httpx
from fastapi import FastAPI
from sqlalchemy import text

from services.training.spool.batch import Batch
from services.training.spool.shelf import Shelf
from shared.database import Sessions, tenant_transaction
from tests.conftest import Tenant, make_tenant
from tests.spool.made_batch import batch_of, nobody_replays

SALES, SPOOL = "/api/v1/sales", "/api/v1/spool"


def row(product: str, quantity: float) -> dict[str, Any]:
    return {"date": "2026-02-01", "product": product, "quantity": quantity}


async def ended(tenant: Tenant, batch: Batch) -> dict[str, Any]:
    """Its receipt, once it no longer waits."""
    while True:
        answer = await tenant.client.get(f"{SPOOL}/{batch.header.receipt_id}")
        receipt: dict[str, Any] = answer.json()
        if answer.status_code == 200 and receipt["status"] != "waiting":
            return receipt
        await asyncio.sleep(0.02)


async def stored(tenant: Tenant) -> dict[str, float]:
    items = (await tenant.client.get(SALES)).json()["items"]
    return {item["product"]: item["quantity"] for item in items}


async def set_series_limit(sessions: Sessions, tenant: Tenant, most: int) -> None:
    async with tenant_transaction(sessions, tenant.id) as session:
        limits = json.dumps({"series": most})
        await session.execute(
            text("UPDATE tenants SET limits = CAST(:limits AS jsonb)"), {"limits": limits}
        )


def shelf_of(app: FastAPI) -> Shelf:
    shelf: Shelf = app.state.spool.shelf
    return shelf


async def test_a_batch_that_has_a_receipt_is_only_removed(app: FastAPI, tenant: Tenant) -> None:
    """As after a crash between the commit and the removal."""
    batch = batch_of(tenant.id, row("rye", 2))
    async with nobody_replays(app) as spool:
        await spool.keep(batch)
        [entry] = spool.shelf.waiting(tenant.id)
        data = entry.path.read_bytes()
    assert (await ended(tenant, batch))["status"] == "applied"
    await tenant.client.post(SALES, json={"rows": [row("rye", 7)]})
    entry.path.write_bytes(data)
    while not shelf_of(app).is_empty(tenant.id):
        await asyncio.sleep(0.02)
    assert await stored(tenant) == {"rye": 7}


async def test_what_the_database_refuses_is_rejected_told_and_kept_until_discarded(
    app: FastAPI, tenant: Tenant, sessions: Sessions
) -> None:
    await set_series_limit(sessions, tenant, 1)
    too_many = batch_of(tenant.id, row("rye", 2), row("bun", 3))
    after = batch_of(tenant.id, row("rye", 4))
    async with nobody_replays(app) as spool:
        await spool.keep(too_many)
        await spool.keep(after)
        waits = await tenant.client.delete(f"{SPOOL}/{after.header.receipt_id}")
        assert (waits.status_code, waits.json()["code"]) == (409, "batch_waiting")
    assert (await ended(tenant, after))["status"] == "applied"
    receipt = await ended(tenant, too_many)
    assert (receipt["status"], receipt["error"]["code"]) == ("rejected", "series_limit")
    assert (receipt["result"], receipt["received"]) == (None, 2)
    assert await stored(tenant) == {"rye": 4}
    assert [entry.read() for entry in shelf_of(app).rejected(tenant.id)] == [too_many]
    assert (await tenant.client.get(SPOOL)).json()["rejected"] == 1
    gone = await tenant.client.delete(f"{SPOOL}/{too_many.header.receipt_id}")
    assert gone.status_code == 204
    assert shelf_of(app).rejected(tenant.id) == []


async def test_rows_that_a_later_program_refuses_are_rejected_with_their_faults(
    app: FastAPI, tenant: Tenant
) -> None:
    batch = batch_of(tenant.id, row("rye", 2), row("rye", 3))
    await app.state.spool.keep(batch)
    receipt = await ended(tenant, batch)
    assert receipt["status"] == "rejected"
    assert receipt["error"]["errors"][0] | {"message": ""} == {
        "row": 2, "field": "quantity", "code": "duplicate_row", "message": "",
    }  # fmt: skip


async def test_a_damaged_batch_is_told_and_set_aside_and_the_next_comes_in(
    app: FastAPI, tenant: Tenant
) -> None:
    damaged, whole = batch_of(tenant.id, row("rye", 2)), batch_of(tenant.id, row("bun", 3))
    async with nobody_replays(app) as spool:
        await spool.keep(damaged)
        await spool.keep(whole)
        path = spool.shelf.waiting(tenant.id)[0].path
        path.write_bytes(path.read_bytes().replace(b'"rye"', b'"eye"'))
    assert (await ended(tenant, whole))["status"] == "applied"
    assert (await ended(tenant, damaged))["error"]["code"] == "damaged_on_disk"
    assert await stored(tenant) == {"bun": 3}


async def test_the_wall_stands_before_receipts(
    app: FastAPI, api: httpx.AsyncClient, tenant: Tenant
) -> None:
    other = await make_tenant(app, api, name="Other")
    batch = batch_of(tenant.id, row("rye", 2))
    await app.state.spool.keep(batch)
    await ended(tenant, batch)
    async with other.client:
        answer = await other.client.get(f"{SPOOL}/{batch.header.receipt_id}")
    assert (answer.status_code, answer.json()["code"]) == (404, "receipt_not_found")


async def test_what_nobody_knows_waits_and_stops_nobody(
    app: FastAPI, api: httpx.AsyncClient, tenant: Tenant
) -> None:
    """A tenant of another database; what a later program kept."""
    stranger, ahead = UUID(int=0), await make_tenant(app, api, name="Ahead")
    await ahead.client.aclose()
    await app.state.spool.keep(batch_of(stranger, row("rye", 1)))
    await app.state.spool.keep(batch_of(ahead.id, row("rye", 1), kind="returns"))
    batch = batch_of(tenant.id, row("rye", 2))
    await app.state.spool.keep(batch)
    await ended(tenant, batch)
    assert len(shelf_of(app).waiting(stranger)) == len(shelf_of(app).waiting(ahead.id)) == 1


async def test_batches_of_an_erased_tenant_go_wherever_they_lie(
    app: FastAPI, api: httpx.AsyncClient, tenant: Tenant
) -> None:
    """On another host they are found after the tenant is gone."""
    await api.delete(f"/api/v1/tenants/{tenant.id}")
    await app.state.spool.keep(batch_of(tenant.id, row("rye", 1)))
    while (shelf_of(app).root / str(tenant.id)).exists():
        await asyncio.sleep(0.02)


async def test_online_rows_wait_for_those_on_the_disk_or_queue_behind_them(
    app: FastAPI, tenant: Tenant
) -> None:
    batch = batch_of(tenant.id, row("rye", 2))
    async with nobody_replays(app) as spool:
        await spool.keep(batch)
        queued = await tenant.client.post(SALES, json={"rows": [row("rye", 3)]})
        assert (queued.status_code, queued.json()["position"]) == (202, 2)
        waiting = asyncio.create_task(tenant.client.post(SALES, json={"rows": [row("rye", 4)]}))
        await asyncio.sleep(0.1)
    assert (await waiting).status_code == 200
    assert await stored(tenant) == {"rye": 4}


async def test_the_list_is_paged_in_order(app: FastAPI, tenant: Tenant) -> None:
    batches = [batch_of(tenant.id, row("rye", number)) for number in range(5)]
    async with nobody_replays(app) as spool:
        for batch in batches:
            await spool.keep(batch)
        seen: list[tuple[str, int]] = []
        cursor: dict[str, str] = {}
        while True:
            page = (await tenant.client.get(SPOOL, params={"limit": "2"} | cursor)).json()
            assert page["waiting"] == 5
            seen += [(item["id"], item["position"]) for item in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = {"cursor": page["next_cursor"]}
    assert seen == [(str(b.header.receipt_id), at) for at, b in enumerate(batches, 1)]
    missing = await tenant.client.get(f"{SPOOL}/{uuid4()}")
    assert missing.status_code == 404
