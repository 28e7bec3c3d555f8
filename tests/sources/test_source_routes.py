"""Sources over HTTP: what may be connected, what is shown, and what is never shown."""

import json
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from shared.sealed import Sealer
from shared.upstream.client import CallTerms, UpstreamClient
from tests.conftest import Tenant, client_of, make_tenant
from tests.sources.conftest import Desk, breakers

BASE = "/api/v1/sources"
HTTP = {"kind": "http", "base_url": "https://till.example/api"}


async def test_a_tenant_begins_with_sales_that_are_pushed_and_nothing_else(
    tenant: Tenant,
) -> None:
    body = (await tenant.client.get(BASE)).json()
    assert body["next_cursor"] is None
    assert [(each["source"], each["kind"]) for each in body["items"]] == [
        ("sales", "push"),
        ("weather", "none"),
        ("traffic", "none"),
    ]
    for each in body["items"]:
        assert each["last_sync"] is None
        assert each["breaker"] is None
        assert (each["data_through"], each["gaps"], each["gap_days"]) == (None, [], 0)


async def test_what_was_connected_is_shown_but_for_its_credentials(
    tenant: Tenant, desk: Desk
) -> None:
    answer = await tenant.client.put(f"{BASE}/sales", json=HTTP | {"credentials": "s3cret"})
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert shown["base_url"] == "https://till.example/api"
    assert shown["options"]["overlap_hours"] == 24
    assert shown["freshness"] == {"status": "never", "age_seconds": None}
    assert shown["breaker"]["name"].startswith("sales:")
    listed = (await tenant.client.get(BASE)).json()
    log = await desk.rows("SELECT before::text, after::text FROM audit_log")
    assert "s3cret" not in json.dumps([shown, listed, [list(row) for row in log]])
    assert any("till.example" in str(list(row)) for row in log)


@pytest.mark.parametrize(
    ("source", "body", "field"),
    [
        ("sales", {"kind": "open-meteo"}, "kind"),
        ("sales", {"kind": "none"}, "kind"),
        ("weather", {"kind": "push"}, "kind"),
        ("sales", {"kind": "ftp"}, "kind"),
        ("sales", {}, "kind"),
        ("sales", {"kind": "http"}, "base_url"),
        ("traffic", {"kind": "flow"}, "base_url"),
        ("sales", HTTP | {"base_url": "ftp://till.example"}, "base_url"),
        ("sales", HTTP | {"base_url": "till.example"}, "base_url"),
        ("sales", HTTP | {"base_url": "https://me:pw@till.example"}, "base_url"),
        ("sales", HTTP | {"base_url": "https://till.example/?key=1"}, "base_url"),
        ("sales", HTTP | {"base_url": "https://till.example:99999"}, "base_url"),
        ("sales", HTTP | {"base_url": "https://[::1"}, "base_url"),
        ("sales", HTTP | {"base_url": "https://till.example/a\u0000"}, "base_url"),
        ("sales", HTTP | {"credentials": ""}, "credentials"),
        ("sales", HTTP | {"credentials": {"token": "a", "more": "b"}}, "credentials"),
        ("sales", HTTP | {"options": {"overlap_hours": -1}}, "options.overlap_hours"),
        ("sales", HTTP | {"options": {"nonsense": 1}}, "options.nonsense"),
        ("sales", HTTP | {"options": {"regressors": ["a; drop"]}}, "options.regressors.0"),
        ("sales", HTTP | {"more": 1}, "more"),
        ("sales", {"kind": "square"}, "options.locations"),
        ("weather", {"kind": "open-meteo", "options": {"variables": ["moon"]}}, "options.var"),
    ],
)
async def test_what_cannot_be_connected_is_refused_with_its_field(
    tenant: Tenant, source: str, body: dict[str, object], field: str
) -> None:
    answer = await tenant.client.put(f"{BASE}/{source}", json=body)
    assert answer.status_code == 422, answer.text
    fields = [error["field"] for error in answer.json()["errors"]]
    assert any(each.startswith(field) for each in fields), fields


async def test_an_unknown_source_and_a_sync_of_nothing(tenant: Tenant) -> None:
    assert (await tenant.client.put(f"{BASE}/moon", json=HTTP)).status_code == 422
    answer = await tenant.client.post(f"{BASE}/sales/sync")
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_sync")
    assert (await tenant.client.get(f"{BASE}/sales/syncs/{uuid4()}")).status_code == 404


async def test_a_sync_that_waits_is_not_asked_for_twice(tenant: Tenant, desk: Desk) -> None:
    await tenant.client.put(f"{BASE}/sales", json=HTTP)
    first = await tenant.client.post(f"{BASE}/sales/sync")
    assert first.status_code == 202
    sync_id = first.json()["sync_id"]
    assert first.headers["location"] == f"{BASE}/sales/syncs/{sync_id}"
    again = await tenant.client.post(f"{BASE}/sales/sync")
    assert again.json()["sync_id"] == sync_id
    shown = (await tenant.client.get(f"{BASE}/sales/syncs/{sync_id}")).json()
    assert (shown["status"], shown["cause"], shown["rows"]) == ("queued", "asked", 0)
    assert (await tenant.client.get(f"{BASE}/weather/syncs/{sync_id}")).status_code == 404
    [count] = await desk.rows("SELECT count(*) FROM tasks")
    assert count[0] == 1


async def test_a_request_that_is_repeated_by_its_key_gets_the_first_answer(
    tenant: Tenant, desk: Desk
) -> None:
    await tenant.client.put(f"{BASE}/sales", json=HTTP)
    headers = {"Idempotency-Key": "once"}
    first = await tenant.client.post(f"{BASE}/sales/sync", headers=headers)
    await desk.rows("UPDATE source_syncs SET status = 'succeeded'")
    again = await tenant.client.post(f"{BASE}/sales/sync", headers=headers)
    assert (again.status_code, again.json()) == (202, first.json())
    assert again.headers["location"] == first.headers["location"]
    await tenant.client.put(f"{BASE}/weather", json={"kind": "open-meteo"})
    other = await tenant.client.post(f"{BASE}/weather/sync", headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    [count] = await desk.rows("SELECT count(*) FROM source_syncs")
    assert count[0] == 1


async def test_credentials_stay_until_they_are_replaced_removed_or_would_go_elsewhere(
    tenant: Tenant, desk: Desk
) -> None:
    async def kept(**body: object) -> str:
        answer = await tenant.client.put(f"{BASE}/sales", json=HTTP | body)
        assert answer.status_code == 200, answer.text
        [row] = await desk.rows("SELECT credentials FROM sources")
        return "" if row[0] is None else Sealer(None).open(row[0], "")

    assert await kept(credentials={"token": "one"}) == "one"
    assert await kept() == "one"
    assert await kept(base_url="https://till.example/v2") == "one"
    assert await kept(base_url="https://other.example") == ""
    assert await kept(base_url="https://other.example", credentials="two") == "two"
    assert await kept(base_url="https://other.example", credentials=None) == ""


async def test_another_tenant_sees_none_of_it(
    app: FastAPI, api: httpx.AsyncClient, tenant: Tenant
) -> None:
    await tenant.client.put(f"{BASE}/sales", json=HTTP)
    sync_id = (await tenant.client.post(f"{BASE}/sales/sync")).json()["sync_id"]
    other = await make_tenant(app, api, name="Other")
    async with other.client:
        assert (await other.client.get(BASE)).json()["items"][0]["kind"] == "push"
        assert (await other.client.get(f"{BASE}/sales/syncs/{sync_id}")).status_code == 404


async def test_an_address_within_the_house_is_never_called(desk: Desk) -> None:
    """Neither a tenant's sales nor weather of its own; the operator's hosts may be anywhere."""
    async with UpstreamClient(CallTerms(allow_private=False), breakers()) as strict:
        desk.client = strict
        for source, kind in (("sales", "http"), ("weather", "open-meteo"), ("traffic", "flow")):
            await desk.connect(source, kind, credentials="s3cret")
            ended = await desk.sync(source)
            assert ended.error is not None
            assert ended.error["code"] == "upstream_forbidden"
        assert desk.stand.asked == []
        await desk.connect("weather", "open-meteo", base_url=None)
        await desk.sync("weather")
    assert desk.stand.asked != []


async def test_who_may_connect_and_who_may_pull(app: FastAPI, tenant: Tenant) -> None:
    made = await tenant.client.post("/api/v1/api-keys", json={"name": "r", "scopes": ["read"]})
    async with client_of(app, made.json()["key"]) as reader:
        assert (await reader.get(BASE)).status_code == 200
        assert (await reader.put(f"{BASE}/sales", json=HTTP)).status_code == 403
        assert (await reader.post(f"{BASE}/sales/sync")).status_code == 403
