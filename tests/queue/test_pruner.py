"""Pruning goes in small transactions, and takes no more a turn than its measure."""

from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.queue.pruner import Measure, Sweep, prune
from services.training.tables import Task
from shared.database import tenant_transaction
from tests.queue.real_queue import Queue


async def left(queue: Queue, tenant_id: UUID) -> int:
    async with tenant_transaction(queue.sessions, tenant_id) as session:
        return await session.scalar(select(func.count()).select_from(Task)) or 0


async def test_batches_are_transactions_of_their_own_and_a_turn_has_its_measure(
    queue: Queue, tenant_id: UUID
) -> None:
    await queue.put(tenant_id, 25)
    batches: list[int] = []
    transactions: set[int] = set()

    async def step(session: AsyncSession, most: int) -> int:
        transactions.add((await session.execute(select(func.txid_current()))).scalar_one())
        chosen = select(Task.id).order_by(Task.id).limit(most)
        gone = await session.scalars(delete(Task).where(Task.id.in_(chosen)).returning(Task.id))
        batches.append(len(gone.all()))
        return batches[-1]

    told = await prune(queue.sessions, tenant_id, [Sweep("tasks", step)], Measure(4, 10))
    assert (told, batches, len(transactions)) == ({"tasks": 10}, [4, 4, 2], 3)
    assert await left(queue, tenant_id) == 15
    told = await prune(queue.sessions, tenant_id, [Sweep("tasks", step)], Measure(10, 100))
    assert (told, await left(queue, tenant_id)) == ({"tasks": 15}, 0)
