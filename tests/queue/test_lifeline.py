"""Work lives as long as its lease, and ends before anybody else may have its task."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest

from services.training.queue.finish import cancel_group
from services.training.queue.lifeline import CANCELLED_CHANNEL, LeaseTerms, Lifeline
from services.training.queue.task import Claim
from shared.background import running
from shared.database import (
    PoolLimits,
    connect_directly,
    make_engine,
    make_sessions,
    tenant_transaction,
)
from shared.doorbell import Bell, Listener
from shared.roles import WORKER
from tests.conftest import Database
from tests.cut_wire import Wire, wire_to
from tests.queue.real_queue import EXPIRED, Queue

SHORT = LeaseTerms(timedelta(seconds=1.2), timedelta(seconds=0.3))
LONG = LeaseTerms(timedelta(minutes=10), timedelta(minutes=5))


def lifeline_of(
    queue: Queue, database: Database, terms: LeaseTerms
) -> tuple[Lifeline, Bell, Listener]:
    connect = partial(connect_directly, database.worker_dsn, WORKER, "test-lifeline")
    bell = Bell(connect)
    listener = Listener(connect, (CANCELLED_CHANNEL,), bell, WORKER)
    return Lifeline(queue.engine, terms, listener, time.monotonic), bell, listener


@asynccontextmanager
async def held(lifeline: Lifeline, claim: Claim) -> AsyncIterator[asyncio.Task[None]]:
    work = asyncio.create_task(asyncio.sleep(120))
    lifeline.hold(claim, work, time.monotonic())
    yield work
    work.cancel()
    await asyncio.wait([work])


async def ended(work: asyncio.Task[None], within: float = 20) -> bool:
    done, _ = await asyncio.wait([work], timeout=within)
    return bool(done) and work.cancelled()


async def test_leases_are_renewed_for_as_long_as_the_work_lasts(
    queue: Queue, tenant_id: UUID, database: Database
) -> None:
    await queue.put(tenant_id)
    lifeline, bell, listener = lifeline_of(queue, database, SHORT)
    claim = await queue.claim_one(SHORT.length)
    loops = (lifeline.run(), bell.run(), listener.run())
    async with running(*loops), held(lifeline, claim) as work:
        assert not await ended(work, within=2 * SHORT.length.total_seconds())
        assert await queue.claim() == []


async def test_work_whose_task_was_taken_over_is_ended_and_other_work_is_not(
    queue: Queue, tenant_id: UUID, database: Database
) -> None:
    await queue.put(tenant_id, 2)
    lost, taken = await queue.claim_one(EXPIRED), await queue.claim_one()
    kept = await queue.claim_one()
    assert lost.id == taken.id
    lifeline, _, _ = lifeline_of(queue, database, LONG)
    async with held(lifeline, lost) as lost_work, held(lifeline, kept) as kept_work:
        await lifeline.renew()
        assert await ended(lost_work)
        assert not kept_work.done()


async def test_work_that_was_let_go_is_left_alone(
    queue: Queue, tenant_id: UUID, database: Database
) -> None:
    await queue.put(tenant_id)
    lost = await queue.claim_one(EXPIRED)
    await queue.claim_one()
    lifeline, _, _ = lifeline_of(queue, database, LONG)
    async with held(lifeline, lost) as work:
        lifeline.let_go(lost)
        await lifeline.renew()
        assert not await ended(work, within=0.1)


async def test_a_cancellation_that_is_rung_ends_the_work_at_once(
    queue: Queue, tenant_id: UUID, database: Database
) -> None:
    group = UUID(int=7)
    await queue.put(tenant_id, group_id=group)
    claim = await queue.claim_one()
    lifeline, bell, listener = lifeline_of(queue, database, LONG)
    loops = (lifeline.run(), bell.run(), listener.run())
    async with running(*loops), held(lifeline, claim) as work:
        async with tenant_transaction(queue.asking, tenant_id) as session:
            await cancel_group(session, group)
        bell.ring(CANCELLED_CHANNEL)
        assert await ended(work)


@pytest.mark.parametrize("restored", [False, True])
async def test_work_out_of_reach_of_the_database_ends_before_its_lease(
    queue: Queue, tenant_id: UUID, database: Database, restored: bool
) -> None:
    """The wire is cut silently: every statement hangs, none fails."""
    await queue.put(tenant_id)
    terms = LeaseTerms(timedelta(seconds=4), timedelta(seconds=1.9))
    with tempfile.TemporaryDirectory() as folder:
        async with wire_to(database.worker_dsn, Path(folder)) as (wire, dsn):
            engine = make_engine(dsn, WORKER, PoolLimits(size=2), "cut-off")
            cut_off = Queue(engine, make_sessions(engine), queue.asking)
            lifeline, bell, listener = lifeline_of(cut_off, database, terms)
            claim = await cut_off.claim_one(terms.length)
            loops = (lifeline.run(), bell.run(), listener.run())
            async with running(*loops), held(lifeline, claim) as work:
                await lifeline.renew()
                wire.cut()
                if restored:
                    asyncio.get_running_loop().call_later(1.0, Wire.mend, wire)
                    assert not await ended(work, within=terms.length.total_seconds())
                else:
                    assert await queue_is_empty_until(work, queue)
                wire.mend()
            await engine.dispose()


async def queue_is_empty_until(work: asyncio.Task[None], queue: Queue) -> bool:
    """Whether nobody could claim the task before the work on it had ended."""
    while not work.done():
        if await queue.claim():
            return False
        await asyncio.sleep(0.05)
    return work.cancelled()
