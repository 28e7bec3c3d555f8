"""A shop that was trained, and a leader whose turns the test gives."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

import asyncpg
import pytest

from services.training.queue.periodic import Turn
from services.training.retraining.policy import RETRAINING
from services.training.retraining.turn import retrain_due
from shared.database import PoolLimits, Sessions, connect_directly, make_engine, make_sessions
from shared.doorbell import Bell
from shared.roles import WORKER
from tests.conftest import Database, Tenant
from tests.jobs.asking import ask, finished, send_sales
from tests.jobs.conftest import worker, working

__all__ = ["worker", "working"]

BASE = "/api/v1"


@dataclass
class Shop:
    """A tenant whose roll and bun were trained, as its leader and the database see it."""

    tenant: Tenant
    sessions: Sessions
    bell: Bell
    database: Database
    turns: int = field(default=0)

    def turn(self) -> Turn:
        return Turn(self.tenant.id, RETRAINING, self.turns, "w1", timedelta(hours=1))

    async def look(self) -> list[dict[str, Any]]:
        """Give the tenant its turn; the jobs that came of retraining so far, the latest first."""
        await retrain_due(self.sessions, self.bell, self.turn())
        self.turns += 1
        return await self.retrainings()

    async def retrainings(self) -> list[dict[str, Any]]:
        jobs = (await self.tenant.client.get(f"{BASE}/training-jobs")).json()["items"]
        return [job for job in jobs if job["cause"] is not None]

    async def wish(self, **policy: Any) -> None:
        answer = await self.tenant.client.put(f"{BASE}/retraining-policy", json=policy)
        assert answer.status_code == 200, answer.text

    async def behind(self, statement: str, *values: Any) -> None:
        """Change the database behind the service's back: time, above all, is made to pass."""
        connection = await asyncpg.connect(self.database.admin_dsn)
        await connection.execute(statement, *values)
        await connection.close()

    async def age(self, days: float) -> None:
        """Let all that was done so far be so much longer ago."""
        past = timedelta(days=days)
        await self.behind("UPDATE training_marks SET at = at - $1::interval", past)
        await self.behind("UPDATE retrainings SET at = at - $1::interval", past)

    async def models(self, product: str) -> list[dict[str, Any]]:
        answer = await self.tenant.client.get(f"{BASE}/models", params={"product": product})
        items: list[dict[str, Any]] = answer.json()["items"]
        return items


@pytest.fixture
async def shop(tenant: Tenant, database: Database, worker: None) -> AsyncIterator[Shop]:
    await send_sales(tenant.client, "roll", "bun", days=70)
    job = await finished(tenant.client, (await ask(tenant.client))["id"])
    assert job["status"] == "succeeded", job
    engine = make_engine(database.worker_dsn, WORKER, PoolLimits(size=2), "test-leader")
    bell = Bell(partial(connect_directly, database.worker_dsn, WORKER, "test-leader"))
    yield Shop(tenant, make_sessions(engine), bell, database)
    await engine.dispose()
