"""Limits of requests over HTTP: what a tenant is told, and what it is refused."""

from pathlib import Path
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from services.training.app import create_app
from services.training.metering import requests
from tests.conftest import OPERATOR_KEY, Database, Tenant, client_of, make_tenant, settings_for

HEADERS = ("RateLimit-Policy", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")


def told(answer: httpx.Response) -> tuple[str | None, ...]:
    return tuple(answer.headers.get(name) for name in HEADERS)


async def limit(api: httpx.AsyncClient, tenant_id: UUID, **limits: int | None) -> None:
    answer = await api.patch(f"/api/v1/tenants/{tenant_id}", json={"limits": limits})
    assert answer.status_code == 200, answer.text
    assert limits.items() <= answer.json()["limits"].items()


async def test_every_answer_says_how_the_bucket_stands(
    api: httpx.AsyncClient, tenant: Tenant
) -> None:
    await limit(api, tenant.id, requests_per_minute=20)
    asked = [
        ("GET", "/api/v1/tenant", 200),
        ("GET", "/api/v1/sales?format=csv", 200),
        ("GET", "/api/v1/models/00000000-0000-0000-0000-000000000000", 404),
        ("POST", "/api/v1/training-jobs", 422),
        ("GET", "/api/v1/tenants", 403),
        ("POST", "/api/v1/sales", 415),
    ]
    for left, (method, path, status) in zip(range(19, 0, -1), asked, strict=False):
        answer = await tenant.client.request(method, path)
        assert answer.status_code == status, answer.text
        assert told(answer)[:3] == ("20;w=60", "20", str(left))
        assert 0 < int(told(answer)[3] or 0) <= (20 - left) * 3


async def test_who_asks_too_often_is_told_when_to_come_again(
    api: httpx.AsyncClient, tenant: Tenant
) -> None:
    await limit(api, tenant.id, requests_per_minute=3)
    answers = [await tenant.client.get("/api/v1/tenant") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    refused = answers[-1]
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "rate_limited"
    assert told(refused)[:3] == ("3;w=60", "3", "0")
    assert 15 <= int(refused.headers["Retry-After"]) <= 20
    assert 55 <= int(refused.headers["RateLimit-Reset"]) <= 60
    await limit(api, tenant.id)
    assert told(await tenant.client.get("/api/v1/tenant"))[1] == "600"


async def test_a_limit_is_of_one_tenant_alone_and_none_of_the_operator(
    app: FastAPI, api: httpx.AsyncClient, tenant: Tenant
) -> None:
    other = await make_tenant(app, api, name="Other")
    await limit(api, tenant.id, requests_per_minute=1)
    assert (await tenant.client.get("/api/v1/tenant")).status_code == 200
    assert (await tenant.client.get("/api/v1/tenant")).status_code == 429
    answer = await other.client.get("/api/v1/tenant")
    assert (answer.status_code, told(answer)[2]) == (200, "599")
    answer = await api.get("/api/v1/tenants")
    assert (answer.status_code, told(answer)) == (200, (None,) * 4)


async def test_a_plan_without_a_limit_tells_of_none(app: FastAPI, api: httpx.AsyncClient) -> None:
    tenant = await make_tenant(app, api, plan="unlimited")
    answers = [await tenant.client.get("/api/v1/tenant") for _ in range(5)]
    assert {(answer.status_code, told(answer)) for answer in answers} == {(200, (None,) * 4)}
    assert requests.UNLIMITED_SECONDS <= 2


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"limits": {"requests_per_minute": 0}}, "limits.requests_per_minute"),
        ({"limits": {"requests_per_minute": 2**63}}, "limits.requests_per_minute"),
        ({"limits": {"requests_per_minute": "many"}}, "limits.requests_per_minute"),
        ({"limits": {"body_bytes": None}}, "limits.body_bytes"),
        ({"limits": {"body_bytes": 2**30}}, "limits.body_bytes"),
        ({"limits": {"requests": 3}}, "limits.requests"),
        ({"plan": "golden"}, "plan"),
        ({"name": "x"}, "name"),
    ],
)
async def test_a_limit_is_a_number_under_a_known_name(
    api: httpx.AsyncClient, tenant: Tenant, change: dict[str, object], field: str
) -> None:
    refused = await api.patch(f"/api/v1/tenants/{tenant.id}", json=change)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)


async def test_only_the_operator_sets_limits(api: httpx.AsyncClient, tenant: Tenant) -> None:
    change = {"plan": "unlimited"}
    own = await tenant.client.patch(f"/api/v1/tenants/{tenant.id}", json=change)
    assert (own.status_code, own.json()["code"]) == (403, "operator_only")
    gone = await api.patch("/api/v1/tenants/00000000-0000-0000-0000-000000000000", json=change)
    assert gone.status_code == 404


async def test_bad_keys_of_one_address_are_looked_up_only_so_often(
    database: Database, tmp_path: Path
) -> None:
    app = create_app(settings_for(database.api_dsn, tmp_path, attempts_per_minute=5))
    async with app.router.lifespan_context(app), client_of(app, OPERATOR_KEY) as api:
        known, unseen = await make_tenant(app, api), await make_tenant(app, api)
        assert (await known.client.get("/api/v1/tenant")).status_code == 200
        async with client_of(app, f"{known.key}x") as bad:
            answers = [await bad.get("/api/v1/tenant") for _ in range(7)]
        assert [answer.status_code for answer in answers] == [401] * 5 + [429] * 2
        assert answers[-1].json()["code"] == "too_many_attempts"
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 12
        assert (await known.client.get("/api/v1/tenant")).status_code == 200
        assert (await unseen.client.get("/api/v1/tenant")).status_code == 429
        elsewhere = httpx.ASGITransport(app, client=("2001:db8::7", 7))
        key = {"Authorization": f"Bearer {unseen.key}"}
        async with httpx.AsyncClient(
            transport=elsewhere, base_url="http://morrow", headers=key
        ) as client:
            assert (await client.get("/api/v1/tenant")).status_code == 200


def test_of_ipv6_a_network_is_one_neighbour() -> None:
    near = requests._neighbourhood("2001:db8:0:1::7")
    assert near == requests._neighbourhood("2001:db8:0:1:ffff::9")
    assert near != requests._neighbourhood("2001:db8:0:2::7")
    assert requests._neighbourhood("10.0.0.1") != requests._neighbourhood("10.0.0.2")
