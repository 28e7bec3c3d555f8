"""Whatever a tenant can make without end has a cap that requests at once do not pass."""

import asyncio
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.conftest import Database, Tenant, client_of, execute
from tests.metering.test_requests import limit

MADE: list[tuple[str, str, str, dict[str, Any]]] = [
    ("products", "PUT", "/products/p{}", {}),
    ("locations", "PUT", "/locations/l{}", {"name": "l", "latitude": 1, "longitude": 2}),
    ("events", "PUT", "/events/e{}", {"name": "e", "dates": ["2026-01-01"]}),
    ("api_keys", "POST", "/api-keys", {"name": "k", "scopes": ["read"]}),
]
CODES = {"events": "calendar_events_limit"}
THERE = {"locations": 1, "api_keys": 1}


@pytest.mark.parametrize(("name", "method", "path", "body"), MADE, ids=[made[0] for made in MADE])
async def test_no_more_than_the_limit_can_be_made(
    api: httpx.AsyncClient, tenant: Tenant, name: str, method: str, path: str, body: dict[str, Any]
) -> None:
    await limit(api, tenant.id, **{name: 4})
    answers = await asyncio.gather(
        *(
            tenant.client.request(method, f"/api/v1{path.format(number)}", json=body)
            for number in range(8)
        )
    )
    made = [answer for answer in answers if answer.is_success]
    refused = [answer for answer in answers if not answer.is_success]
    assert len(made) == 4 - THERE.get(name, 0)
    assert {(each.status_code, each.json()["code"]) for each in refused} == {
        (422, CODES.get(name, f"{name}_limit"))
    }
    if method == "PUT":
        again = await tenant.client.put(str(made[0].url), json=body)
        assert again.status_code == 200


async def test_keys_cannot_be_made_and_revoked_without_end(
    api: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    await limit(api, tenant.id, api_keys=2)
    body = {"name": "k", "scopes": ["read"]}
    for _ in range(19):
        made = await tenant.client.post("/api/v1/api-keys", json=body)
        assert made.status_code == 201, made.text
        await tenant.client.delete(f"/api/v1/api-keys/{made.json()['id']}")
    refused = await tenant.client.post("/api/v1/api-keys", json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "api_keys_limit")
    await execute(
        database.admin_dsn,
        "UPDATE api_keys SET revoked_at = revoked_at - interval '31 days', "
        "created_at = created_at - interval '32 days'",
    )
    assert (await tenant.client.post("/api/v1/api-keys", json=body)).status_code == 201


@pytest.mark.parametrize(("name", "field"), [("products", "product"), ("locations", "location")])
async def test_an_import_makes_no_more_either(
    api: httpx.AsyncClient, tenant: Tenant, name: str, field: str
) -> None:
    await limit(api, tenant.id, **{name: 3})
    rows = [
        {"date": "2026-01-02", "product": "p", "quantity": 1, field: f"x{number}"}
        for number in range(4)
    ]
    refused = await tenant.client.post("/api/v1/sales", json={"rows": rows})
    assert (refused.status_code, refused.json()["code"]) == (422, f"{name}_limit")
    there = (await tenant.client.get(f"/api/v1/{name}")).json()["items"]
    assert len(there) == THERE.get(name, 0)
    kept = await tenant.client.post("/api/v1/sales", json={"rows": rows[:2]})
    assert kept.status_code == 200, kept.text


async def test_rows_of_a_day_are_a_quota(api: httpx.AsyncClient, tenant: Tenant) -> None:
    await limit(api, tenant.id, rows_per_day=3)
    rows = [{"date": f"2026-01-0{day}", "product": "p", "quantity": 1} for day in range(1, 6)]
    for sent, status in ((rows[:2], 200), (rows[2:4], 429), (rows[2:3], 200), (rows[:1], 429)):
        answer = await tenant.client.post("/api/v1/sales", json={"rows": sent})
        assert answer.status_code == status, answer.text
    assert answer.json()["code"] == "quota_spent"
    assert "T00:00:00Z" in answer.json()["detail"]
    assert 1 <= int(answer.headers["Retry-After"]) <= 86_401
    known = {"rows": [{"date": "2026-01-01", "rain": 1}]}
    refused = await tenant.client.post("/api/v1/regressors", json=known)
    assert (refused.status_code, refused.json()["code"]) == (429, "quota_spent")


async def test_no_job_is_taken_once_the_day_is_spent(
    api: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    rows = [{"date": "2026-01-02", "product": "roll", "quantity": 3}]
    assert (await tenant.client.post("/api/v1/sales", json={"rows": rows})).status_code == 200
    await limit(api, tenant.id, cpu_seconds_per_day=50)
    assert (await tenant.client.post("/api/v1/training-jobs", json={})).status_code == 202
    await execute(
        database.admin_dsn,
        "INSERT INTO usage SELECT tenant_id, (now() AT TIME ZONE 'UTC')::date, 'cpu_seconds', 50 "
        "FROM tenants",
    )
    refused = await tenant.client.post("/api/v1/training-jobs", json={})
    assert (refused.status_code, refused.json()["code"]) == (429, "quota_spent")
    await execute(database.admin_dsn, "UPDATE usage SET day = day - 1")
    assert (await tenant.client.post("/api/v1/training-jobs", json={})).status_code == 202


async def test_a_key_with_a_limit_of_its_own_keeps_to_it_and_its_successor_too(
    app: FastAPI, tenant: Tenant
) -> None:
    body = {"name": "till", "scopes": ["read"], "requests_per_minute": 2}
    made = (await tenant.client.post("/api/v1/api-keys", json=body)).json()
    path = f"/api/v1/api-keys/{made['id']}/rotate"
    successor = (await tenant.client.post(path)).json()
    for key in (made, successor):
        assert key["requests_per_minute"] == 2
        async with client_of(app, key["key"]) as client:
            answers = [await client.get("/api/v1/tenant") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
        assert answers[-1].headers["RateLimit-Limit"] == "2"
    assert (await tenant.client.get("/api/v1/tenant")).status_code == 200
