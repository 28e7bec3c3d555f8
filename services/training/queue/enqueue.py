"""Putting tasks in: each takes its place by start-time fair queueing when it enters."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.training import tables
from services.training.queue.places import Places, reserve_places
from services.training.queue.spans import enqueue_span
from services.training.queue.task import Priority, State
from shared.tracing import carried


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task to be; one with a terminal `state` is only recorded, a held one takes its place when
    it is released. Of a tenant's tasks with the same `unique_key` one runs at a time."""

    group_id: UUID
    kind: str
    subject: str
    payload: dict[str, Any]
    priority: Priority
    cost: float = 1.0
    max_attempts: int = 3
    unique_key: str | None = None
    state: State = State.QUEUED
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = field(default=None)


async def enqueue(session: AsyncSession, tenant_id: UUID, new: Sequence[NewTask]) -> list[int]:
    """Insert the tasks in the caller's transaction; returns their ids, in order."""
    if not new:
        return []
    with enqueue_span(tenant_id, new[0].group_id, len(new)):
        classes = sorted({task.priority for task in new})
        places = {each: await _places_of(session, each, new) for each in classes}
        rows = [_row(tenant_id, task, places[task.priority].give(_cost(task))) for task in new]
        added = await session.execute(
            insert(tables.Task).returning(tables.Task.id, sort_by_parameter_order=True), rows
        )
        return list(added.scalars())


async def _places_of(session: AsyncSession, priority: Priority, new: Sequence[NewTask]) -> Places:
    cost = sum(_cost(task) for task in new if task.priority is priority)
    return await reserve_places(session, priority, cost)


def _cost(task: NewTask) -> float:
    """What is only recorded takes nobody's time, what is held none yet."""
    return task.cost if task.state is State.QUEUED else 0.0


def _row(tenant_id: UUID, task: NewTask, tag: float) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "group_id": task.group_id,
        "kind": task.kind,
        "subject": task.subject,
        "unique_key": task.unique_key,
        "payload": task.payload,
        "priority": int(task.priority),
        "cost": task.cost,
        "start_tag": tag,
        "state": task.state.value,
        "max_attempts": task.max_attempts,
        "result": task.result,
        "error": task.error,
        "trace": carried(),
    }
