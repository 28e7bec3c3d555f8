"""A tenant, the client that calls its upstreams, and a clock that the test sets."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import asyncpg
import pytest

from services.training.sources.addresses import Hosts
from services.training.sources.kinds import SourceName
from services.training.sources.run import Supply
from services.training.sources.schemas import Cause
from services.training.sources.sync import Synced, sync_source
from shared.breaker import Breakers, BreakerTerms
from shared.database import PoolLimits, Sessions, make_engine, make_sessions
from shared.roles import WORKER
from shared.sealed import Sealer
from shared.upstream.client import CallTerms, UpstreamClient
from tests.conftest import Database, Tenant
from tests.sources.upstreams import Stand, stand

BASE = "/api/v1"
NOW = datetime(2026, 5, 20, 6, tzinfo=UTC)
SECONDS = 30.0


@dataclass
class Desk:
    """What pulls a tenant's sources, as a worker would."""

    tenant: Tenant
    sessions: Sessions
    client: UpstreamClient
    database: Database
    stand: Stand
    now: datetime = NOW
    hosts: Hosts = field(default=Hosts("", "", "", None))

    @property
    def supply(self) -> Supply:
        hosts = Hosts(self.stand.url, self.stand.url, self.stand.url, None)
        return Supply(self.sessions, self.client, Sealer(None), hosts, lambda: self.now)

    async def connect(self, source: str, kind: str, **more: Any) -> dict[str, Any]:
        body = {"kind": kind, "base_url": self.stand.url} | more
        answer = await self.tenant.client.put(f"{BASE}/sources/{source}", json=body)
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json()
        return shown

    async def sync(self, source: str, seconds: float = SECONDS, **more: Any) -> Synced:
        return await sync_source(
            self.supply,
            self.tenant.id,
            SourceName(source),
            time.monotonic() + seconds,
            Cause.ASKED,
            **more,
        )

    async def shown(self, source: str) -> dict[str, Any]:
        items = (await self.tenant.client.get(f"{BASE}/sources")).json()["items"]
        found: dict[str, Any] = next(each for each in items if each["source"] == source)
        return found

    async def sales(self, **query: str) -> list[tuple[date, str, str, float | None]]:
        """What is stored: date, location, product, quantity."""
        rows = await self.rows(
            "SELECT x.date, s.location, s.product, x.quantity FROM sales x "
            "JOIN series s ON s.tenant_id = x.tenant_id AND s.id = x.series_id "
            "WHERE x.tenant_id = $1 ORDER BY 1, 2, 3",
            self.tenant.id,
        )
        return [tuple(row) for row in rows]

    async def rows(self, query: str, *values: Any) -> list[Any]:
        connection = await asyncpg.connect(self.database.admin_dsn)
        found = await connection.fetch(query, *values)
        await connection.close()
        return list(found)


def breakers() -> Breakers:
    kinds = ("sales", "weather", "traffic")
    return Breakers(
        {kind: BreakerTerms(failures=5, open_seconds=60, owned=kind == "sales") for kind in kinds}
    )


@pytest.fixture
async def upstream() -> AsyncIterator[Stand]:
    async with stand() as made:
        yield made


@pytest.fixture
async def desk(tenant: Tenant, database: Database, upstream: Stand) -> AsyncIterator[Desk]:
    engine = make_engine(database.worker_dsn, WORKER, PoolLimits(size=3), "test-desk")
    async with UpstreamClient(CallTerms(allow_private=True), breakers()) as client:
        yield Desk(tenant, make_sessions(engine), client, database, upstream)
    await engine.dispose()
