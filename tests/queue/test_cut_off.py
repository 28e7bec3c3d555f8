"""Who is cut off in the middle of a statement of the queue's keeps no task from the others."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.training.queue.claim import claim_tasks, renew_leases
from services.training.queue.finish import note_progress
from services.training.queue.task import Claim
from shared.database import (
    PoolLimits,
    Sessions,
    allow_waiting,
    end_soon,
    make_engine,
    make_sessions,
    tenant_transaction,
)
from shared.roles import WORKER
from tests.conftest import Database
from tests.cut_wire import Wire, wire_to
from tests.queue.real_queue import EXPIRED, LEASE, Queue

SHORTLY = timedelta(seconds=0.5)
PIECES = range(1, 7)
"""More than a claim or a renewal sends: the cut comes before, amid, and after each."""


@pytest.fixture
async def cut_off(database: Database) -> AsyncIterator[tuple[Wire, AsyncEngine]]:
    """A worker's engine that has said its first words, and the wire that it hangs on."""
    with tempfile.TemporaryDirectory() as folder:
        async with wire_to(database.worker_dsn, Path(folder)) as (wire, dsn):
            engine = make_engine(dsn, WORKER, PoolLimits(size=1, pre_ping=False), "cut-off")
            assert await claim_tasks(engine, "cut off", ["bake"], 1, LEASE) == []
            assert await renew_leases(engine, [Claim(UUID(int=1), 1, 1, 1)], LEASE) == frozenset()
            yield wire, engine
            wire.mend()
            await engine.dispose()


@pytest.mark.parametrize("pieces", PIECES)
async def test_a_claim_that_is_cut_off_leaves_its_task_to_others(
    queue: Queue, tenant_id: UUID, cut_off: tuple[Wire, AsyncEngine], pieces: int
) -> None:
    wire, engine = cut_off
    [task] = await queue.put(tenant_id)
    wire.cut_after(pieces)
    claiming = asyncio.create_task(claim_tasks(engine, "cut off", ["bake"], 1, EXPIRED))
    await is_taken_over(queue, task)
    wire.mend()
    await asyncio.wait([claiming])


@pytest.mark.parametrize("pieces", PIECES)
async def test_a_renewal_that_is_cut_off_leaves_its_task_to_others(
    queue: Queue, tenant_id: UUID, cut_off: tuple[Wire, AsyncEngine], pieces: int
) -> None:
    wire, engine = cut_off
    [task] = await queue.put(tenant_id)
    claim = await queue.claim_one(EXPIRED)
    wire.cut_after(pieces)
    renewing = asyncio.create_task(renew_leases(engine, [claim], EXPIRED))
    await is_taken_over(queue, task)
    wire.mend()
    await asyncio.wait([renewing])


@pytest.mark.parametrize("pieces", range(1, 18))
async def test_a_transaction_that_is_cut_off_keeps_no_row(
    queue: Queue,
    tenant_id: UUID,
    database: Database,
    cut_off: tuple[Wire, AsyncEngine],
    pieces: int,
) -> None:
    """Also where it has named its next statement, and not yet run it."""
    wire, engine = cut_off
    await queue.put(tenant_id)
    claim = await queue.claim_one()
    sessions = make_sessions(engine, SHORTLY)
    wire.cut_after(pieces)
    writing = asyncio.create_task(write_and_read(sessions, claim))
    await asyncio.sleep(0.2)
    other = await asyncpg.connect(database.admin_dsn)
    async with asyncio.timeout(5), other.transaction():
        await other.fetch("SELECT 1 FROM tasks WHERE id = $1 FOR UPDATE", claim.id)
    await other.close()
    writing.cancel()
    wire.mend()
    [ended] = (await asyncio.wait([writing]))[0]
    assert ended.cancelled() or isinstance(ended.exception(), DBAPIError | None)


async def write_and_read(sessions: Sessions, claim: Claim) -> None:
    async with tenant_transaction(sessions, claim.tenant_id) as session:
        await allow_waiting(session)
        await note_progress(session, claim, {"stage": "search"})
        await end_soon(session)
        await session.execute(text("SELECT count(*) FROM tasks WHERE state = 'waiting'"))


async def is_taken_over(queue: Queue, task: int) -> None:
    """Once the one that is cut off has had its time to lock it."""
    await asyncio.sleep(0.2)
    async with asyncio.timeout(5):
        while not (taken := await queue.claim()):
            await asyncio.sleep(0.02)
    assert [claim.id for claim in taken] == [task]
