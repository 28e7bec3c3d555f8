"""News of a fit: the first at once, then the latest once a second, and none in anybody's way."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from services.training.demand.config import Progress, TrainingStage
from services.training.jobs.events import EventType
from services.training.jobs.progress import PROGRESS_SECONDS, progress_told
from services.training.jobs.settle import event_of, job_transaction, settle_product
from services.training.jobs.store import TRAIN
from services.training.jobs.workshop import Workshop
from services.training.queue.finish import put_back
from services.training.queue.task import ClaimedTask, State
from shared.database import tenant_transaction
from tests.conftest import Database, Tenant
from tests.jobs.asking import PATIENCE_SECONDS, ask, check_log, events_of, read_job
from tests.jobs.claiming import claim
from tests.jobs.pooled_jobs import prepare


@pytest.fixture
async def job(shop: Tenant, workshop: Workshop) -> str:
    """Of two series, put in."""
    job_id: str = (await ask(shop.client))["id"]
    await prepare(workshop)
    return job_id


def searching(fraction: float) -> Progress:
    return Progress(TrainingStage.SEARCH, fraction)


async def told_of(shop: Tenant, job: str, least: int = 0) -> list[dict[str, Any]]:
    """What was told on the way, once it is so much."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            events = await events_of(shop.client, job)
            check_log(events)
            told = [event for event in events if event["type"] == "product.progress"]
            if len(told) >= least:
                return told
            await asyncio.sleep(0.02)


def fractions(told: list[dict[str, Any]]) -> list[float]:
    return [event["data"]["fraction"] for event in told]


async def tell(workshop: Workshop, shop: Tenant, task: ClaimedTask, fraction: float) -> None:
    """As a child's first news is told."""
    before = len(await told_of(shop, str(task.group_id)))
    async with progress_told(workshop, task) as note:
        note(searching(fraction))
        await told_of(shop, str(task.group_id), before + 1)


@asynccontextmanager
async def job_kept_locked(database: Database, job: str) -> AsyncIterator[None]:
    operator = await asyncpg.connect(database.admin_dsn)
    async with operator.transaction():
        await operator.fetchval("SELECT id FROM jobs WHERE id = $1 FOR UPDATE", job)
        yield
    await operator.close()


async def test_the_first_news_is_told_at_once_then_the_latest_once_a_second(
    shop: Tenant, workshop: Workshop, job: str
) -> None:
    task, _ = await claim(workshop, TRAIN)
    async with progress_told(workshop, task) as note:
        note(searching(0.1))
        await asyncio.sleep(0.01)
        note(searching(0.2))
        note(searching(0.3))
        told = await told_of(shop, job, 2)
    assert fractions(told) == [0.1, 0.3]
    first, second = (dt.datetime.fromisoformat(event["at"]) for event in told)
    assert (second - first).total_seconds() > 0.9 * PROGRESS_SECONDS


async def test_the_beginning_and_the_end_of_a_fit_are_no_news(
    shop: Tenant, workshop: Workshop, job: str
) -> None:
    task, _ = await claim(workshop, TRAIN)
    async with progress_told(workshop, task) as note:
        note(searching(0.0))
        await asyncio.sleep(0.05)
        note(searching(1.0))
        await asyncio.sleep(0.05)
        note(searching(0.5))
        assert fractions(await told_of(shop, job, 1)) == [0.5]


async def test_what_is_being_told_when_the_fit_ends_is_told(
    shop: Tenant, workshop: Workshop, job: str, database: Database
) -> None:
    """Else its connection would be lost, and the publishing wait for a new one."""
    task, _ = await claim(workshop, TRAIN)

    async def fit() -> None:
        async with progress_told(workshop, task) as note:
            note(searching(0.5))
            await asyncio.sleep(0.05)

    async with job_kept_locked(database, job):
        fitting = asyncio.create_task(fit())
        await asyncio.sleep(0.2)
    await fitting
    assert fractions(await told_of(shop, job)) == [0.5]


async def test_a_fit_that_is_cancelled_waits_for_no_news(
    shop: Tenant, workshop: Workshop, job: str, database: Database
) -> None:
    task, _ = await claim(workshop, TRAIN)

    async def fit() -> None:
        async with progress_told(workshop, task) as note:
            note(searching(0.5))
            await asyncio.sleep(PATIENCE_SECONDS)

    async with job_kept_locked(database, job):
        fitting = asyncio.create_task(fit())
        await asyncio.sleep(0.05)
        fitting.cancel()
        await asyncio.wait([fitting])
    assert await told_of(shop, job) == []


async def test_the_percent_counts_all_that_is_under_way_and_never_falls(
    shop: Tenant, workshop: Workshop, job: str
) -> None:
    one, other = await claim(workshop, TRAIN)
    await tell(workshop, shop, one, 0.5)
    await tell(workshop, shop, other, 0.75)
    async with tenant_transaction(workshop.sessions, shop.id) as session:
        await put_back(session, one.claim, dt.timedelta(0), burn_attempt=True)
    again, *_ = await claim(workshop, TRAIN)
    await tell(workshop, shop, again, 0.1)
    told = await told_of(shop, job)
    assert [event["percent"] for event in told] == pytest.approx([24.75, 61.88, 61.88], abs=0.01)
    assert (await read_job(shop.client, job))["percent"] == pytest.approx(99 * 1.25 / 2)


async def test_a_job_tells_its_end_as_soon_as_there_is_a_pace(
    shop: Tenant, workshop: Workshop, job: str
) -> None:
    assert (await read_job(shop.client, job))["eta_seconds"] is None
    one, other = await claim(workshop, TRAIN)
    await tell(workshop, shop, one, 0.5)
    await asyncio.sleep(0.1)
    await tell(workshop, shop, other, 0.5)
    told = await told_of(shop, job)
    assert all(event["eta_seconds"] > 0 for event in told)
    assert (await read_job(shop.client, job))["eta_seconds"] <= told[-1]["eta_seconds"]
    for task in (one, other):
        event = event_of(task, EventType.PRODUCT_TRAINED, "trained")
        async with job_transaction(workshop, task) as session:
            await settle_product(session, workshop, task, State.SUCCEEDED, event)
    assert (await read_job(shop.client, job))["eta_seconds"] == 0
    assert (await events_of(shop.client, job))[-1]["eta_seconds"] == 0
