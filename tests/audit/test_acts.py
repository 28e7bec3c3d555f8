"""What is asked for over HTTP, and is more than a question, is in the record."""

import json
from typing import Any

import asyncpg
import httpx
from fastapi import FastAPI

from tests.audit.acts import ACTS, BASE, QUIET, SECRET, Stage
from tests.conftest import Database, Tenant
from tests.models.conftest import Shop

OF_REQUEST = "SELECT *, to_jsonb(a)::text AS whole FROM audit_log a WHERE request_id = $1"


async def test_every_operation_is_an_act_or_is_known_to_be_none(app: FastAPI) -> None:
    operations = {
        f"{method.upper()} {path.removeprefix(BASE)}"
        for path, methods in app.openapi()["paths"].items()
        for method in methods
        if method not in {"get", "head", "options"}
    }
    assert operations == ACTS.keys() | QUIET.keys()
    assert not ACTS.keys() & QUIET.keys()


async def test_every_act_leaves_an_entry_that_says_who_and_on_what(
    app: FastAPI, api: httpx.AsyncClient, tenant: Tenant, shop: Shop, database: Database
) -> None:
    stage = Stage(app, api, tenant, shop, database)
    connection = await asyncpg.connect(database.admin_dsn)
    own = await connection.fetchrow("SELECT * FROM api_keys WHERE tenant_id = $1", tenant.id)
    for operation, (act, action) in ACTS.items():
        answer = await act(stage)
        assert answer.status_code < 300, (operation, answer.text)
        entries = await connection.fetch(OF_REQUEST, answer.headers["X-Request-ID"])
        assert action in {entry["action"] for entry in entries}, operation
        for entry in entries:
            assert_says_who(
                entry, own, by_operator="tenants" in operation or "circuit" in operation
            )
            assert SECRET not in entry["whole"]
            assert own["digest"].hex() not in entry["whole"]
    await connection.close()


def assert_says_who(entry: Any, key: Any, *, by_operator: bool) -> None:
    assert entry["subject"]
    if by_operator:
        assert (entry["actor"], entry["key_prefix"]) == ("operator", None)
        assert int(entry["tenant_id"]) == 0
    else:
        assert (entry["actor"], entry["key_prefix"]) == (f"api_key:{key['id']}", key["prefix"])
        assert entry["tenant_id"] == key["tenant_id"]


async def test_an_act_that_fails_leaves_none(
    tenant: Tenant, api: httpx.AsyncClient, database: Database
) -> None:
    connection = await asyncpg.connect(database.admin_dsn)
    before = await connection.fetchval("SELECT count(*) FROM audit_log")
    for answer in (
        await tenant.client.put(f"{BASE}/products/roll", json={"price": "dear"}),
        await tenant.client.delete(f"{BASE}/api-keys/{tenant.id}"),
        await tenant.client.post(f"{BASE}/training-jobs/{tenant.id}/cancel"),
        await tenant.client.post(f"{BASE}/sources/sales/sync"),
        await api.post(f"{BASE}/circuit-breakers/none/reset"),
        await api.delete(f"{BASE}/tenants/{tenant.id}", params={"dry_run": True}),
    ):
        assert answer.status_code != 200 or "dry_run" in str(answer.url)
    assert await connection.fetchval("SELECT count(*) FROM audit_log") == before
    await connection.close()


async def test_a_changed_product_tells_what_changed_and_an_unchanged_one_nothing(
    tenant: Tenant,
) -> None:
    for price in (1.5, 1.5, 2.5):
        await tenant.client.put(f"{BASE}/products/roll", json={"price": price, "unit": "kg"})
    log = await tenant.client.get(f"{BASE}/audit-log", params={"action": "product.put"})
    last, first = log.json()["items"]
    assert (last["before"], last["after"]) == ({"price": 1.5}, {"price": 2.5})
    assert first["before"] is None
    assert first["after"]["unit"] == "kg"
    assert first["subject"] == "product:roll"


async def test_a_repeated_request_is_one_act(tenant: Tenant) -> None:
    sold = [{"date": "2026-01-02", "product": "roll", "quantity": 3}]
    await tenant.client.post(f"{BASE}/sales", json={"rows": sold})
    for _ in range(3):
        answer = await tenant.client.post(
            f"{BASE}/training-jobs", json={}, headers={"Idempotency-Key": "once"}
        )
        assert answer.status_code == 202
    log = await tenant.client.get(f"{BASE}/audit-log", params={"action": "job.created"})
    assert len(log.json()["items"]) == 1
    assert json.dumps(log.json()).count(answer.json()["id"]) == 1
