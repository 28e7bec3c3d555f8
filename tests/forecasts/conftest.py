"""A tenant whose roll has sales, and models of it made to measure."""

import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from services.training.models.bundle import pack
from services.training.models.new_model import new_model
from services.training.models.store import find_series, publish_model
from services.training.tables import Model
from shared.artifacts import ArtifactStore
from shared.database import PoolLimits, Sessions, make_engine, make_sessions, tenant_transaction
from shared.roles import WORKER
from tests.conftest import Database, Tenant
from tests.jobs.asking import send_sales
from tests.models.made_models import forecast_days, made_bundle


@dataclass(frozen=True)
class Stall:
    tenant: Tenant
    sessions: Sessions
    artifacts: ArtifactStore
    models: Path

    async def train(self, number: int, product: str = "roll", **changes: Any) -> Model:
        """Version `number`, told apart by its level: its means begin at 100 times the number."""
        days = [day | {"mean": day["mean"] + 100 * number} for day in forecast_days(days=14)]
        bundle = made_bundle(**{"product": product, "forecast": days} | changes)
        owner = str(self.tenant.id)
        artifact = await self.artifacts.put(owner, pack(bundle))
        async with tenant_transaction(self.sessions, self.tenant.id) as session:
            series_id = await find_series(session, product, "main")
            assert series_id is not None
            new = new_model(bundle, series_id, f"f{number}", artifact, {})
            return await publish_model(session, self.tenant.id, new)

    def damage(self, model: Model) -> None:
        sha256 = model.sha256
        path = self.models / str(self.tenant.id) / sha256[:2] / sha256
        path.write_bytes(path.read_bytes()[:-1])

    async def ask(self, status: int = 200, **query: Any) -> Any:
        answer = await self.tenant.client.get(
            "/api/v1/forecasts", params={"product": "roll"} | query
        )
        assert answer.status_code == status, answer.text
        return answer.json()


THROUGH = dt.date(2026, 6, 30)


@pytest.fixture
async def stall(
    database: Database, app: FastAPI, tenant: Tenant, tmp_path: Path
) -> AsyncIterator[Stall]:
    await send_sales(tenant.client, "roll", "bun")
    engine = make_engine(database.worker_dsn, WORKER, PoolLimits(size=2), "test-worker")
    yield Stall(tenant, make_sessions(engine), app.state.resources.artifacts, tmp_path / "models")
    await engine.dispose()
