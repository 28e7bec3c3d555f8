"""What every answer tells browsers and caches, under which names the service is called, and that
nothing of it runs what comes from elsewhere."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.training.app import create_app
from services.training.settings import Settings, SettingsRefused
from shared.allowed_hosts import name_in
from shared.openapi_page import openapi_page
from shared.safe_headers import SAFE_HEADERS
from tests.conftest import Database, Tenant, client_of, settings_for

ANSWERS = [
    ("GET", "/health/live", 200),
    ("GET", "/openapi.json", 200),
    ("GET", "/api/v1/tenant", 200),
    ("POST", "/api/v1/stream-tickets", 422),
    ("GET", "/api/v1/nowhere", 404),
    ("DELETE", "/api/v1/tenant", 405),
    ("OPTIONS", "/api/v1/tenant", 405),
]


@pytest.mark.parametrize(("method", "path", "status"), ANSWERS)
async def test_every_answer_has_them(method: str, path: str, status: int, tenant: Tenant) -> None:
    answer = await tenant.client.request(method, path)
    assert answer.status_code == status
    assert (
        SAFE_HEADERS.items()
        <= {name: answer.headers.get(name.lower()) for name in SAFE_HEADERS}.items()
    )
    for expected in ("nosniff", "no-referrer", "no-store", "default-src 'none'"):
        assert expected in str(answer.headers)


async def test_a_key_is_kept_by_no_cache(api: httpx.AsyncClient) -> None:
    answer = await api.post(
        "/api/v1/tenants", json={"name": "x", "country": "DE", "timezone": "Europe/Berlin"}
    )
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"


async def test_an_unforeseen_failure_has_them_too(app: FastAPI) -> None:
    @app.get("/fails")
    def fails() -> None:
        raise RuntimeError("unforeseen")

    async with client_of(app, None) as client:
        answer = await client.get("/fails", headers={"X-Request-ID": "sane-1"})
    assert answer.status_code == 500
    assert answer.headers["x-request-id"] == answer.json()["request_id"] == "sane-1"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
async def test_no_other_origin_may_read_an_answer(method: str, tenant: Tenant) -> None:
    asking = {
        "Origin": "https://elsewhere.example",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization",
    }
    answer = await tenant.client.request(method, "/api/v1/tenant", headers=asking)
    assert not [name for name in answer.headers if name.startswith("access-control-")]


async def test_a_path_with_a_slash_too_many_leads_nowhere(tenant: Tenant) -> None:
    """A redirect would lead to whatever host the request named."""
    answer = await tenant.client.get("/api/v1/tenant/", headers={"Host": "elsewhere.example"})
    assert answer.status_code == 404
    assert "location" not in answer.headers


async def test_the_page_of_the_api_runs_nothing_and_loads_nothing(api: httpx.AsyncClient) -> None:
    answer = await api.get("/docs")
    assert answer.status_code == 200
    assert "/api/v1/training-jobs" in answer.text
    assert not re.search(r"<script|https?://|\son\w+=|javascript:|@import|url\(", answer.text)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "unsafe" not in policy
    assert (await api.get("/redoc")).status_code == 404


def test_the_page_escapes_what_it_shows() -> None:
    forged = "<script>alert(1)</script>"
    operation: dict[str, Any] = {
        "summary": forged,
        "description": forged,
        "parameters": [{"name": forged, "in": forged, "description": forged}],
        "requestBody": {"content": {forged: {"schema": {"$ref": f"#/{forged}"}}}},
        "responses": {forged: {"description": forged}},
    }
    info = {"title": forged, "version": forged, "summary": forged}
    page = openapi_page({"info": info, "paths": {forged: {forged: operation}}})
    assert "<script" not in page
    assert page.count("&lt;script&gt;") > 8


HOSTS = ["api.example.com", "*.morrow.example", "[::1]"]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("api.example.com", 401),
        ("API.example.com:8443", 401),
        ("eu.morrow.example", 401),
        ("[::1]:8000", 401),
        ("elsewhere.example", 421),
        ("api.example.com.elsewhere.example", 421),
        ("morrow.example", 421),
        ("a.b.morrow.example", 421),
        ("127.0.0.1:8000", 421),
        ("", 421),
    ],
)
async def test_under_other_names_it_does_not_answer(
    host: str, status: int, database: Database, tmp_path: Path
) -> None:
    settings = settings_for(database.api_dsn, tmp_path, allowed_hosts=HOSTS)
    async with client_of(create_app(settings), None) as client:
        answer = await client.get("/api/v1/tenant", headers={"Host": host})
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["x-content-type-options"] == "nosniff"
        probe = await client.get("/health/live", headers={"Host": host})
        assert probe.status_code == 200


@pytest.mark.parametrize(("host", "name"), [("A:1", "a"), ("[::1]:80", "[::1]"), (":", "")])
def test_the_port_of_a_host_does_not_count(host: str, name: str) -> None:
    assert name_in(host) == name


def test_hosts_are_read_with_commas_between_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MORROW_DATABASE_URL", "postgresql://x/y")
    assert Settings.load().allowed_hosts == ()
    monkeypatch.setenv("MORROW_ALLOWED_HOSTS", " API.example.com, *.x.example,[::1]")
    assert Settings.load().allowed_hosts == ("api.example.com", "*.x.example", "[::1]")
    for wrong in ("https://x.example", "x.example:80", "*", "a,*b.example"):
        monkeypatch.setenv("MORROW_ALLOWED_HOSTS", wrong)
        with pytest.raises(SettingsRefused, match="MORROW_ALLOWED_HOSTS="):
            Settings.load()
