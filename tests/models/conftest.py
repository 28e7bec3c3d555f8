"""A tenant with two products, as its worker and the disk see it."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.models.bundle import pack
from services.training.models.new_model import NewModel, new_model
from services.training.models.store import publish_model
from services.training.tables import Model, Product, Series
from shared.artifacts import ArtifactStore
from shared.canonical import sha256_of
from shared.database import PoolLimits, Sessions, make_engine, make_sessions, tenant_transaction
from shared.roles import WORKER
from tests.conftest import Database, Tenant
from tests.models.made_models import made_bundle

PRODUCTS = ("Croissant", "Baguette")


@dataclass(frozen=True)
class Shop:
    """`series` holds the id of each product's series; `sessions` are the worker's."""

    tenant_id: UUID
    sessions: Sessions
    artifacts: ArtifactStore
    root: Path
    series: dict[str, int]

    def transaction(self) -> AbstractAsyncContextManager[AsyncSession]:
        return tenant_transaction(self.sessions, self.tenant_id)

    async def publish(self, new: NewModel, **options: Any) -> Model:
        async with self.transaction() as session:
            return await publish_model(session, self.tenant_id, new, **options)

    async def train(
        self, fingerprint: str = "f1", product: str = "Croissant", **changes: Any
    ) -> Model:
        """A version as the worker publishes it: the artifact first, then the row."""
        made_for = {"trials": [{"made for": fingerprint}], "product": product}
        bundle = made_bundle(**made_for | changes)
        artifact = await self.artifacts.put(str(self.tenant_id), pack(bundle))
        lineage = {"job_id": "j1"}
        return await self.publish(
            new_model(bundle, self.series[product], fingerprint, artifact, lineage)
        )

    def path(self, sha256: str) -> Path:
        """Where the artifact's bytes are."""
        return self.root / str(self.tenant_id) / sha256[:2] / sha256

    def damage(self, model: Model) -> str:
        """Flip one bit of the model's artifact; the digest it has now."""
        path = self.path(model.sha256)
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
        return sha256_of(bytes(data))


@pytest.fixture
async def shop(
    database: Database, app: FastAPI, tenant: Tenant, sessions: Sessions, tmp_path: Path
) -> AsyncIterator[Shop]:
    series = await add_series(sessions, tenant.id)
    engine = make_engine(database.worker_dsn, WORKER, PoolLimits(size=2), "test-worker")
    artifacts = app.state.resources.artifacts
    yield Shop(tenant.id, make_sessions(engine), artifacts, tmp_path / "models", series)
    await engine.dispose()


async def add_series(sessions: Sessions, tenant_id: UUID) -> dict[str, int]:
    """The products at the tenant's first location; the id of each series."""
    async with tenant_transaction(sessions, tenant_id) as session:
        session.add_all(Product(tenant_id=tenant_id, product=name) for name in PRODUCTS)
        await session.flush()
        made = [Series(tenant_id=tenant_id, location="main", product=name) for name in PRODUCTS]
        session.add_all(made)
        await session.flush()
        return {series.product: series.id for series in made}
