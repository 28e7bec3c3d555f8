"""A process that does not hear is not ready, and says so to whoever counts."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from services.training.app import create_app
from tests.conftest import Database, client_of, settings_for
from tests.cut_wire import wire_to
from tests.doorbell.ends import PATIENCE, told


async def readiness(client: httpx.AsyncClient, status: int) -> dict[str, Any]:
    """What failed, once the answer is `status`."""
    async with asyncio.timeout(PATIENCE):
        while (answer := await client.get("/health/ready")).status_code != status:
            await asyncio.sleep(0.02)
    checks = answer.json()["checks"].items()
    return {name: check["detail"] for name, check in checks if check["status"] == "failed"}


async def test_an_api_process_that_does_not_hear_is_not_ready(
    database: Database, tmp_path: Path
) -> None:
    """Its pool reaches the database all the while."""
    async with wire_to(database.api_dsn, tmp_path) as (wire, dsn):
        direct = SecretStr(dsn)
        app = create_app(settings_for(database.api_dsn, tmp_path, direct_database_url=direct))
        async with app.router.lifespan_context(app), client_of(app, None) as client:
            await readiness(client, 200)
            assert told("morrow_listener_up", "api") == 1
            wire.cut()
            failed = await readiness(client, 503)
            assert list(failed) == ["listener"]
            assert "not heard" in failed["listener"]
            assert told("morrow_listener_up", "api") == 0
            wire.mend()
            await readiness(client, 200)
            assert told("morrow_listener_up", "api") == 1
