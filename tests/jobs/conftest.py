"""A worker beside the API of a test, and a shop that sells two things."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.training.worker import work_until
from tests.conftest import Database, Tenant, settings_for
from tests.jobs.asking import send_sales


@pytest.fixture
async def worker(database: Database, tmp_path: Path) -> AsyncIterator[None]:
    """The worker as it runs in its own process, in this one."""
    stop, hurry = asyncio.Event(), asyncio.Event()
    settings = settings_for(database.worker_dsn, tmp_path, workers=2, renew_seconds=1)
    working = asyncio.create_task(work_until(settings, stop, hurry))
    yield
    stop.set()
    hurry.set()
    await working


@pytest.fixture
async def shop(tenant: Tenant) -> Tenant:
    """A tenant with sales of a roll and of a bun."""
    await send_sales(tenant.client, "roll", "bun")
    return tenant
