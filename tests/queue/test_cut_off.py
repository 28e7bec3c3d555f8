"""Who is cut off in the middle of a statement of the queue's keeps no task from the others."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.training.queue.claim import claim_tasks, renew_leases
from services.training.queue.task import Claim
from shared.database import PoolLimits, make_engine
from shared.roles import WORKER
from tests.conftest import Database
from tests.cut_wire import Wire, wire_to
from tests.queue.real_queue import EXPIRED, LEASE, Queue

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


async def is_taken_over(queue: Queue, task: int) -> None:
    """Once the one that is cut off has had its time to lock it."""
    await asyncio.sleep(0.2)
    async with asyncio.timeout(5):
        while not (taken := await queue.claim()):
            await asyncio.sleep(0.02)
    assert [claim.id for claim in taken] == [task]
