"""The OpenAPI document tells what the code does."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.training.app import create_app
from tests.conftest import Database, client_of, settings_for
from tests.security.coverage import operations_of

UNTOLD = {"GET /docs", "GET /openapi.json", "WS /api/v1/training-jobs/{job_id}/ws"}
PUBLIC = {"/health", "/health/live", "/health/ready"}


@pytest.fixture(scope="module")
def wired(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """As it is wired, never started: nothing is asked of it but what it says of itself."""
    folder = tmp_path_factory.mktemp("app")
    return create_app(settings_for("postgresql://nobody@127.0.0.1/none", folder))


@pytest.fixture(scope="module")
def document(wired: FastAPI) -> dict[str, Any]:
    return wired.openapi()


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_route_of_the_code_is_in_the_document(
    wired: FastAPI, document: dict[str, Any]
) -> None:
    told = {f"{method.upper()} {path}" for path, method, _ in operations(document)}
    assert set(operations_of(wired)) - told == UNTOLD


def test_operations_have_names_of_their_own(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))


def test_every_operation_of_a_tenant_names_its_refusals(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        if path in PUBLIC:
            continue
        for status in ("401", "403", "422"):
            content = operation["responses"][status]["content"]
            assert list(content) == ["application/problem+json"], (path, method, status)
        assert operation["security"], (path, method)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "/api/v1/tenants"),
        ("get", "/api/v1/tenant"),
        ("post", "/api/v1/sales"),
        ("post", "/api/v1/regressors"),
        ("get", "/api/v1/sales/quality"),
        ("put", "/api/v1/events/{id}"),
        ("get", "/api/v1/sources"),
        ("put", "/api/v1/sources/{source}"),
        ("post", "/api/v1/sources/{source}/sync"),
        ("get", "/api/v1/sources/{source}/syncs/{sync_id}"),
        ("post", "/api/v1/training-jobs"),
        ("get", "/api/v1/training-jobs/{job_id}/events"),
        ("post", "/api/v1/stream-tickets"),
        ("get", "/api/v1/models"),
        ("post", "/api/v1/models/import"),
        ("get", "/api/v1/forecasts"),
        ("get", "/api/v1/forecasts/export"),
    ],
)
def test_the_contract_is_served(document: dict[str, Any], method: str, path: str) -> None:
    shapes = {
        ("".join("{}" if part.startswith("{") else part for part in p.split("/")), m)
        for p, m, _ in operations(document)
    }
    shape = "".join("{}" if part.startswith("{") else part for part in path.split("/"))
    assert (shape, method) in shapes


async def test_who_has_no_key_may_read_it(database: Database, tmp_path: Path) -> None:
    served = create_app(settings_for(database.api_dsn, tmp_path))
    async with served.router.lifespan_context(served), client_of(served, None) as client:
        answer = await client.get("/openapi.json")
    assert answer.status_code == 200
    assert answer.json() == served.openapi()


async def test_an_unknown_path_and_a_wrong_method_are_problems(api: httpx.AsyncClient) -> None:
    for answer, status in (
        (await api.get("/api/v1/nothing"), 404),
        (await api.delete("/api/v1/tenants"), 405),
    ):
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("body", [b"\xff\xfe", b"{", b"", b"[" * 100_000, b'{"name": 1e999}'])
async def test_a_body_that_is_no_json_is_bad_input(api: httpx.AsyncClient, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await api.post("/api/v1/tenants", content=body, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["errors"]
