"""The record over HTTP: whose it is, newest first, in pages."""

import datetime as dt
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from shared.paging import encode_cursor
from tests.conftest import Tenant, client_of, make_tenant

LOG = "/api/v1/audit-log"


async def put(tenant: Tenant, product: str) -> None:
    answer = await tenant.client.put(f"/api/v1/products/{product}", json={"price": 1})
    assert answer.status_code == 200


async def read(client: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    """All pages."""
    items: list[dict[str, Any]] = []
    while True:
        answer = await client.get(LOG, params=query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        items += page["items"]
        if page["next_cursor"] is None:
            return items
        query["cursor"] = page["next_cursor"]


@pytest.mark.parametrize("limit", [1, 2, 3, 500])
async def test_pages_hold_every_entry_of_both_chains_once_newest_first(
    tenant: Tenant, limit: int
) -> None:
    for product in ("a", "b", "c"):
        await put(tenant, product)
    items = await read(tenant.client, limit=limit)
    assert [item["subject"] for item in items[:3]] == ["product:c", "product:b", "product:a"]
    assert {item["action"] for item in items[3:]} == {"tenant.created", "api_key.created"}
    assert {item["tenant_id"] for item in items} == {str(tenant.id)}
    assert {item["actor"] for item in items[3:]} == {"operator"}
    assert [item["seq"] for item in items] == [3, 2, 1, None, None]
    moments = [item["at"] for item in items]
    assert moments == sorted(moments, reverse=True)
    assert len({item["hash"] for item in items}) == 5


async def test_a_span_of_time_and_a_kind_are_chosen(tenant: Tenant) -> None:
    for product in ("a", "b", "c"):
        await put(tenant, product)
    c, b, a = await read(tenant.client, action="product.put")
    assert await read(tenant.client, **{"from": b["at"], "to": c["at"]}) == [b]
    assert await read(tenant.client, **{"from": c["at"]}) == [c]
    assert a in await read(tenant.client, to=b["at"], limit=1)
    day = dt.datetime.now(dt.UTC).date()
    assert len(await read(tenant.client, **{"from": (day - dt.timedelta(2)).isoformat()})) == 5
    assert await read(tenant.client, to=(day - dt.timedelta(2)).isoformat()) == []


async def test_it_takes_the_scope_admin_and_shows_nothing_of_others(
    app: FastAPI, api: httpx.AsyncClient, tenant: Tenant
) -> None:
    other = await make_tenant(app, api, name="Canary and Sons")
    await put(other, "canary")
    text = (await tenant.client.get(LOG)).text
    assert "canary" not in text.lower()
    assert str(other.id) not in text
    made = await tenant.client.post(
        "/api/v1/api-keys", json={"name": "r", "scopes": ["read", "ingest", "train"]}
    )
    async with client_of(app, made.json()["key"]) as reader:
        answer = await reader.get(LOG)
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
    assert (await api.get(LOG, headers={"Authorization": ""})).status_code == 401
    await other.client.aclose()


async def test_the_operator_sees_what_the_operator_did(
    app: FastAPI, api: httpx.AsyncClient, tenant: Tenant
) -> None:
    await put(tenant, "not-for-the-operator")
    items = await read(api, limit=1)
    assert [item["action"] for item in items] == ["api_key.created", "tenant.created"]
    assert {item["tenant_id"] for item in items} == {str(tenant.id)}
    assert [item["seq"] for item in items] == [2, 1]


@pytest.mark.parametrize(
    "query",
    [
        {"from": "yesterday"},
        {"to": "0001-01-01T00:00:00+14:00"},
        {"from": "9999-12-31T23:59:59-14:00"},
        {"action": "tenant.praised"},
        {"limit": 501},
        {"cursor": "nonsense"},
        {"cursor": encode_cursor("2026-01-01", 1, "00")},
        {"cursor": encode_cursor("2026-01-01T00:00:00Z", 1, "no hash")},
        {"cursor": encode_cursor("2026-01-01T00:00:00Z", 7, "00")},
        {"cursor": encode_cursor("2026-01-01T00:00:00Z", 1, 1)},
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(
    tenant: Tenant, query: dict[str, Any]
) -> None:
    answer = await tenant.client.get(LOG, params=query)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
