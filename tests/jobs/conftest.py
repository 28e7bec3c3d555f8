"""A worker beside the API of a test, and a shop that sells two things."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from services.training.jobs.pool_shelf import PoolShelf
from services.training.jobs.workshop import SlotPool, Workshop
from services.training.queue.locks import AdvisoryLocks
from services.training.sources.addresses import Hosts
from services.training.sources.run import Supply
from services.training.upstreams import open_upstreams
from shared.artifacts import open_store
from shared.database import PoolLimits, connect_directly, make_engine, make_sessions
from shared.doorbell import Bell
from shared.roles import WORKER
from shared.sealed import Sealer
from tests.conftest import Database, Tenant, settings_for
from tests.jobs.asking import send_sales
from tests.jobs.claiming import LEASE
from tests.jobs.pooled_jobs import DAYS, PRODUCTS
from tests.worker_here import working_here

Working = Callable[[], AbstractAsyncContextManager[None]]


@pytest.fixture
async def worker(working: Working) -> AsyncIterator[None]:
    async with working():
        yield


@pytest.fixture
def working(database: Database, tmp_path: Path) -> Working:
    """The worker as it runs in its own process, in this one, as long as the context lasts."""

    def work() -> AbstractAsyncContextManager[None]:
        settings = settings_for(
            database.worker_dsn,
            tmp_path,
            workers=2,
            renew_seconds=1,
            allow_private_upstreams=True,
        )
        return working_here(settings)

    return work


@pytest.fixture
async def workshop(database: Database, tmp_path: Path) -> AsyncIterator[Workshop]:
    """A worker's tools, with nobody at work but the test."""
    engine = make_engine(database.worker_dsn, WORKER, PoolLimits(size=4), "test-worker")
    connect = partial(connect_directly, database.worker_dsn, WORKER, "test-worker")
    settings = settings_for(database.worker_dsn, tmp_path, allow_private_upstreams=True)
    artifacts = open_store(settings.model_root())
    sessions = make_sessions(engine)
    async with open_upstreams(settings) as client:
        yield Workshop(
            settings=settings,
            sessions=sessions,
            artifacts=artifacts,
            pools=PoolShelf(artifacts),
            locks=AdvisoryLocks(connect, LEASE),
            slots=SlotPool([]),
            bell=Bell(connect),
            supply=Supply(
                sessions, client, Sealer(None), Hosts.of(settings), lambda: datetime.now(UTC)
            ),
        )
    await engine.dispose()


@pytest.fixture
async def shop(tenant: Tenant) -> Tenant:
    """A tenant with sales of a roll and of a bun."""
    await send_sales(tenant.client, "roll", "bun")
    return tenant


@pytest.fixture
async def bakery(tenant: Tenant) -> Tenant:
    """A tenant whose series hold enough for a pool, together."""
    await send_sales(tenant.client, *PRODUCTS, days=DAYS)
    return tenant
