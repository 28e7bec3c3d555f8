"""Letting in what waits: held tasks enter the queue as if they were put in only now.

Places from the time before would be arrears, which the other tenants would have to wait for.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from services.training import tables
from services.training.queue.places import Places, reserve_places
from services.training.queue.task import Priority, State


async def release(session: AsyncSession, group_id: UUID, news: dict[str, Any]) -> None:
    """Queue the group's held tasks in the caller's transaction, in their order; each finds `news`
    in its payload."""
    costs = await session.execute(
        select(tables.Task.priority, func.sum(tables.Task.cost))
        .where(*_held(group_id))
        .group_by(tables.Task.priority)
    )
    for priority, cost in costs.all():
        held = [*_held(group_id), tables.Task.priority == priority]
        await _queue(session, held, await reserve_places(session, Priority(priority), cost), news)


def _held(group_id: UUID) -> list[ColumnElement[bool]]:
    return [tables.Task.group_id == group_id, tables.Task.state == State.HELD.value]


async def _queue(
    session: AsyncSession,
    held: Sequence[ColumnElement[bool]],
    places: Places,
    news: dict[str, Any],
) -> None:
    before = func.sum(tables.Task.cost).over(order_by=tables.Task.id) - tables.Task.cost
    waiting = select(tables.Task.id, before.label("before")).where(*held).subquery()
    await session.execute(
        update(tables.Task)
        .where(tables.Task.id == waiting.c.id, *held)
        .values(
            state=State.QUEUED.value,
            start_tag=places.tag + waiting.c.before / places.weight,
            payload=tables.Task.payload.concat(literal(news, JSONB)),
        )
        .execution_options(synchronize_session=False)
    )
