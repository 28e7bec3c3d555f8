"""Tenants, their keys, and who may see whom."""

from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from tests.conftest import BAKERY, Tenant, client_of, make_tenant
from tests.spool.made_batch import batch_of, nobody_replays


async def test_a_tenant_is_made_with_a_key_that_works_and_a_first_location(tenant: Tenant) -> None:
    own = await tenant.client.get("/api/v1/tenant")
    assert own.status_code == 200
    assert own.json()["id"] == str(tenant.id)
    assert own.json()["limits"]["import_rows"] == 100_000
    locations = await tenant.client.get("/api/v1/locations")
    assert [item["location"] for item in locations.json()["items"]] == ["main"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("country", "XX"),
        ("country", "de"),
        ("subdivision", "ZZ"),
        ("timezone", "Mars/Olympus"),
        ("latitude", 91),
        ("name", ""),
        ("name", "nul\0byte"),
        ("currency", "euro"),
        ("plan", "gold"),
    ],
)
async def test_a_bad_field_is_named(api: httpx.AsyncClient, field: str, value: object) -> None:
    answer = await api.post("/api/v1/tenants", json=BAKERY | {field: value})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"]


async def test_a_key_is_refused_when_unknown_revoked_expired_or_absent(
    app: FastAPI, tenant: Tenant
) -> None:
    made = await tenant.client.post("/api/v1/api-keys", json={"name": "till", "scopes": ["read"]})
    assert made.status_code == 201
    async with client_of(app, made.json()["key"]) as till:
        assert (await till.get("/api/v1/tenant")).status_code == 200
        gone = await tenant.client.delete(f"/api/v1/api-keys/{made.json()['id']}")
        assert gone.status_code == 204
        assert (await till.get("/api/v1/tenant")).status_code == 401
    late = await tenant.client.post(
        "/api/v1/api-keys",
        json={"name": "late", "scopes": ["read"], "expires_at": "2020-01-01T00:00:00Z"},
    )
    for key in (None, "mrw_ffffffffffff_nothing", "nonsense", late.json()["key"]):
        async with client_of(app, key) as stranger:
            answer = await stranger.get("/api/v1/tenant")
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_scope_that_is_missing_is_refused(app: FastAPI, tenant: Tenant) -> None:
    made = await tenant.client.post("/api/v1/api-keys", json={"name": "r", "scopes": ["read"]})
    async with client_of(app, made.json()["key"]) as reader:
        for method, path in (
            ("POST", "/api/v1/sales"),
            ("POST", "/api/v1/training-jobs"),
            ("GET", "/api/v1/api-keys"),
        ):
            answer = await reader.request(method, path, json={})
            assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")


async def test_the_operator_manages_tenants_and_acts_for_none(
    api: httpx.AsyncClient, tenant: Tenant
) -> None:
    listed = (await api.get("/api/v1/tenants")).json()["items"]
    assert [item["id"] for item in listed] == [str(tenant.id)]
    assert (await api.get(f"/api/v1/tenants/{tenant.id}")).status_code == 200
    assert (await api.get(f"/api/v1/tenants/{uuid4()}")).status_code == 404
    refused = await api.get("/api/v1/tenant")
    assert (refused.status_code, refused.json()["code"]) == (403, "operator_not_tenant")
    assert (await tenant.client.get("/api/v1/tenants")).status_code == 403


async def test_tenants_are_listed_in_pages(app: FastAPI, api: httpx.AsyncClient) -> None:
    made = {str((await make_tenant(app, api, name=f"Shop {n}")).id) for n in range(5)}
    seen: list[str] = []
    cursor = None
    while True:
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await api.get("/api/v1/tenants", params=query)).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen))
    assert set(seen) == made
    assert (await api.get("/api/v1/tenants?cursor=nonsense")).status_code == 422


async def test_erasing_a_tenant_counts_first_and_then_leaves_nothing(
    app: FastAPI, api: httpx.AsyncClient, tenant: Tenant
) -> None:
    rows = [{"date": "2026-01-02", "product": "roll", "quantity": 3}]
    assert (await tenant.client.post("/api/v1/sales", json={"rows": rows})).status_code == 200
    other = await make_tenant(app, api, name="Other")
    counted = (await api.delete(f"/api/v1/tenants/{tenant.id}?dry_run=true")).json()
    assert counted["rows"]["sales"] == 1
    assert (await tenant.client.get("/api/v1/tenant")).status_code == 200
    erased = (await api.delete(f"/api/v1/tenants/{tenant.id}")).json()
    assert erased["rows"] == counted["rows"]
    assert (await api.get(f"/api/v1/tenants/{tenant.id}")).status_code == 404
    assert (await tenant.client.get("/api/v1/tenant")).status_code == 401
    assert (await other.client.get("/api/v1/tenant")).status_code == 200
    await other.client.aclose()


async def test_erasing_a_tenant_erases_what_of_it_waits_on_the_disk(
    app: FastAPI, api: httpx.AsyncClient, tenant: Tenant
) -> None:
    other = await make_tenant(app, api, name="Other")
    sale = {"date": "2026-01-02", "product": "roll", "quantity": 3}
    async with nobody_replays(app) as spool:
        for owner in (tenant.id, tenant.id, other.id):
            await spool.keep(batch_of(owner, sale))
        spool.shelf.reject(spool.shelf.waiting(tenant.id)[0])
        counted = (await api.delete(f"/api/v1/tenants/{tenant.id}?dry_run=true")).json()
        assert (counted["spooled"], len(spool.shelf.waiting(tenant.id))) == (2, 1)
        erased = (await api.delete(f"/api/v1/tenants/{tenant.id}")).json()
        assert erased["spooled"] == 2
        assert not (spool.shelf.root / str(tenant.id)).exists()
        assert len(spool.shelf.waiting(other.id)) == 1
    await other.client.aclose()
