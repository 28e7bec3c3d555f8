"""Every route has its rows in the matrix, and a new one without fails."""

from dataclasses import replace
from pathlib import Path

import pytest
from fastapi import FastAPI, WebSocket

from services.training.app import create_app
from tests.conftest import settings_for
from tests.security.coverage import missing_from, operations_of
from tests.security.row import Row
from tests.security.rows import ANYONE, ROWS


@pytest.fixture
def api_app(tmp_path: Path) -> FastAPI:
    """As it is wired, never started."""
    return create_app(settings_for("postgresql://nobody@127.0.0.1/none", tmp_path))


def test_every_route_has_its_rows_and_every_parameter_is_spoken_of(api_app: FastAPI) -> None:
    assert missing_from(api_app, ROWS) == []


@pytest.mark.parametrize("shown", [True, False])
def test_a_route_without_a_row_fails(api_app: FastAPI, shown: bool) -> None:
    @api_app.get("/api/v1/everything", include_in_schema=shown)
    async def everything() -> str:
        return "of everybody"

    @api_app.websocket("/api/v1/everything/ws")
    async def watch_everything(socket: WebSocket) -> None:
        await socket.close()

    assert missing_from(api_app, ROWS) == [
        "GET /api/v1/everything: no row",
        "WS /api/v1/everything/ws: no row",
    ]


def test_a_parameter_that_no_row_speaks_of_fails(api_app: FastAPI) -> None:
    @api_app.get("/api/v1/another")
    async def another(tenant: str) -> str:
        return tenant

    row = Row("GET /api/v1/another", ANYONE)
    assert missing_from(api_app, [*ROWS, row]) == [
        "GET /api/v1/another: a row says nothing of query.tenant"
    ]


def test_a_row_of_a_route_that_is_gone_fails(api_app: FastAPI) -> None:
    gone = Row("GET /api/v1/gone", ANYONE)
    assert missing_from(api_app, [*ROWS, gone]) == ["GET /api/v1/gone: no such route"]


def test_an_operation_none_of_whose_rows_succeeds_fails(api_app: FastAPI) -> None:
    rows = [replace(row, status=404) if row.template == "/docs" else row for row in ROWS]
    assert missing_from(api_app, rows) == ["GET /docs: no row that succeeds"]


def test_the_routes_are_seen_through_their_routers(api_app: FastAPI) -> None:
    found = set(operations_of(api_app))
    assert {"GET /api/v1/tenant", "WS /api/v1/training-jobs/{job_id}/ws"} <= found
