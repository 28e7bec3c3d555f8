"""Letting in what waits: held tasks enter the queue as if they were put in only now.

Places from the time before would be arrears, which the other tenants would have to wait for.
"""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY, DOUBLE_PRECISION, JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import BigInteger

from services.training import tables
from services.training.queue.places import reserve_places
from services.training.queue.task import Priority, State

LET_IN: Final = text("""
UPDATE tasks t SET state = 'queued', start_tag = let.tag, payload = t.payload || :news
FROM unnest(:ids, :tags) AS let (id, tag)
WHERE t.tenant_id = app_tenant() AND t.id = let.id
""").bindparams(
    bindparam("news", type_=JSONB),
    bindparam("ids", type_=ARRAY(BigInteger)),
    bindparam("tags", type_=ARRAY(DOUBLE_PRECISION)),
)

Held = Sequence[Row[int, int, float]]


async def release(session: AsyncSession, group_id: UUID, news: dict[str, Any], most: int) -> bool:
    """Queue the first `most` of the group's held tasks in the caller's transaction, in their order;
    each finds `news` in its payload. Whether there may be more. The caller keeps others from
    releasing or cancelling the group meanwhile."""
    held = await _held(session, group_id, most)
    if held:
        tags = await _tags(session, held)
        await session.execute(LET_IN, {"news": news, "ids": [t.id for t in held], "tags": tags})
    return len(held) == most


async def _held(session: AsyncSession, group_id: UUID, most: int) -> Held:
    found = await session.execute(
        select(tables.Task.id, tables.Task.priority, tables.Task.cost)
        .where(tables.Task.group_id == group_id, tables.Task.state == State.HELD.value)
        .order_by(tables.Task.id)
        .limit(most)
    )
    return found.all()


async def _tags(session: AsyncSession, held: Held) -> list[float]:
    """A place for each, after the costs of those before it in its class."""
    places = {}
    for each in sorted({task.priority for task in held}):
        cost = sum(task.cost for task in held if task.priority == each)
        places[each] = await reserve_places(session, Priority(each), cost)
    return [places[task.priority].give(task.cost) for task in held]
