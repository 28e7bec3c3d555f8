"""Nothing of one tenant is told to another, by any route, with any key, to whatever it names."""

from dataclasses import replace
from pathlib import Path

import pytest
import structlog
from fastapi import FastAPI, WebSocket

from services.training.app import create_app
from services.training.tables.breakers import EVERYBODY
from tests.conftest import settings_for
from tests.security.attack import attack
from tests.security.canaries import Watch, rows_of
from tests.security.coverage import missing_from, operations_of
from tests.security.filled import Filled, copied, filled
from tests.security.logged import logged_at_debug
from tests.security.row import Row, Who
from tests.security.rows import ROWS

__all__ = ["filled"]

NOBODYS = {"breaker_instances", "breaker_resets"}
"""What every process tells of itself: these tables hold rows of no tenant."""


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

    row = Row("GET /api/v1/another", Who.ANYONE)
    assert missing_from(api_app, [*ROWS, row]) == [
        "GET /api/v1/another: a row says nothing of query.tenant"
    ]


def test_a_row_of_a_route_that_is_gone_fails(api_app: FastAPI) -> None:
    gone = Row("GET /api/v1/gone", Who.ANYONE)
    assert missing_from(api_app, [*ROWS, gone]) == ["GET /api/v1/gone: no such route"]


def test_an_operation_none_of_whose_rows_succeeds_fails(api_app: FastAPI) -> None:
    rows = [replace(row, status=404) if row.template == "/docs" else row for row in ROWS]
    assert missing_from(api_app, rows) == ["GET /docs: no row that succeeds"]


def test_the_routes_are_seen_through_their_routers(api_app: FastAPI) -> None:
    found = set(operations_of(api_app))
    assert {"GET /api/v1/tenant", "WS /api/v1/training-jobs/{job_id}/ws"} <= found


async def test_both_tenants_hold_rows_in_every_table(filled: Filled, tmp_path: Path) -> None:
    """So that a new table is not left out."""
    with copied(filled, tmp_path) as ground:
        for side in filled.sides:
            rows = await rows_of(ground.admin_dsn, side.id)
            assert {table for table, found in rows.items() if not found} == NOBODYS
        of_nobody = await rows_of(ground.admin_dsn, EVERYBODY)
        assert of_nobody["breaker_instances"]


async def test_no_route_tells_a_tenant_of_another(filled: Filled, tmp_path: Path) -> None:
    first, second = filled.sides
    with copied(filled, tmp_path) as ground:
        outcome = await attack(ground, first, second, ROWS)
    assert outcome.faults == []
    assert outcome.cases > 2_000
    assert outcome.canaries > 500


async def test_nor_the_other_of_the_first(filled: Filled, tmp_path: Path) -> None:
    first, second = filled.sides
    with copied(filled, tmp_path) as ground:
        outcome = await attack(ground, second, first, ROWS, bad_keys=False)
    assert outcome.faults == []


def test_canaries_are_found_wherever_they_are_told() -> None:
    watch = Watch({"7391.125", "a secret name"}, "birchleaf")
    assert watch.found_in(b'{"quantity":7391.125}', []) == ["7391.125"]
    assert watch.found_in(b"of birchleaf roll", ["birchleaf roll"]) == []
    assert watch.found_in(b"of birchleaf roll and bun", ["birchleaf bun"]) == ["birchleaf"]
    with logged_at_debug() as logged:
        structlog.get_logger().debug("row_read", name="a secret name")
        assert watch.found_in(logged.taken(), []) == ["a secret name"]
