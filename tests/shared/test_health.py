"""Probes mean what they say."""

import asyncio
from pathlib import Path

import httpx
from fastapi import FastAPI

from services.training.app import create_app
from tests.conftest import Database, client_of, execute, settings_for


async def test_a_started_service_is_live_and_ready(api: httpx.AsyncClient) -> None:
    assert (await api.get("/health/live")).json() == {"status": "live"}
    while (await api.get("/health/ready")).status_code != 200:
        await asyncio.sleep(0.02)  # the listener has just begun
    for path in ("/health", "/health/ready"):
        ready = await api.get(path)
        assert ready.status_code == 200, ready.text
        checks = ready.json()["checks"]
        assert set(checks) == {"database", "migrations", "listener", "model_store", "spool"}


async def test_a_schema_that_is_not_the_codes_is_told(
    api: httpx.AsyncClient, database: Database
) -> None:
    await execute(database.admin_dsn, "UPDATE alembic_version SET version_num = 'future'")
    ready = await api.get("/health/ready")
    assert ready.status_code == 503
    assert "ahead of the code" in ready.json()["checks"]["migrations"]["detail"]


async def test_a_service_without_its_database_is_live_and_not_ready(
    database: Database, tmp_path: Path
) -> None:
    nowhere = f"postgresql://morrow_api:x@/morrow?host={tmp_path}&port=5432"
    app: FastAPI = create_app(settings_for(nowhere, tmp_path))
    async with app.router.lifespan_context(app), client_of(app, None) as client:
        assert (await client.get("/health/live")).status_code == 200
        ready = await client.get("/health/ready")
        assert ready.status_code == 503
        assert {name: check["status"] for name, check in ready.json()["checks"].items()} == {
            "database": "failed",
            "migrations": "failed",
            "listener": "failed",
            "model_store": "ok",
            "spool": "ok",
        }
        answer = await client.get("/api/v1/tenant", headers={"Authorization": "Bearer mrw_a_b"})
        assert answer.status_code == 503
        assert answer.json()["code"] == "database_unavailable"


async def test_request_ids_are_echoed_when_sane(api: httpx.AsyncClient) -> None:
    kept = await api.get("/health/live", headers={"X-Request-ID": "till-7.a_b"})
    assert kept.headers["x-request-id"] == "till-7.a_b"
    for insane in ("a b", "x" * 129, "née"):
        made = await api.get("/health/live", headers={"X-Request-ID": insane.encode()})
        assert made.headers["x-request-id"].isalnum()


async def test_what_is_wrong_with_the_store_is_told_without_its_place(
    database: Database, tmp_path: Path
) -> None:
    """Anyone may ask."""
    app = create_app(settings_for(database.api_dsn, tmp_path))
    async with app.router.lifespan_context(app), client_of(app, None) as client:
        (tmp_path / "models").rename(tmp_path / "elsewhere")
        (tmp_path / "models").write_text("no directory")
        answer = await client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"]["model_store"]["detail"] == "StoreUnavailable"
    assert str(tmp_path) not in answer.text
