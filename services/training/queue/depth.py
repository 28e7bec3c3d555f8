"""How much is queued, and for how long, across tenants: told by the worker that leads."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.training.queue.task import Priority
from services.training.queue.telemetry import OLDEST_SECONDS, QUEUED_TASKS

LOOK_SECONDS = 5.0
DEPTH = text("SELECT kind, priority, tasks, oldest_seconds FROM queue_depth()")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Depth:
    """Tasks of one kind and class that could be claimed now, and how long ago, by the database's
    clock, the oldest was put in."""

    tasks: int = 0
    oldest_seconds: float = 0.0


Depths = dict[tuple[str, Priority], Depth]
"""By kind and class; what is not named has none queued."""


async def read_depths(engine: AsyncEngine) -> Depths:
    async with engine.connect() as connection:
        rows = await connection.execute(DEPTH)
        return {
            (row.kind, Priority(row.priority)): Depth(row.tasks, row.oldest_seconds) for row in rows
        }


async def tell_depths(engine: AsyncEngine, kinds: Sequence[str]) -> None:
    """Set the gauges until cancelled; from then on this process tells of nothing queued."""
    try:
        while True:
            try:
                _show(await read_depths(engine), kinds)
            except (SQLAlchemyError, OSError) as error:
                log.warning("queue_depth_not_read", error=str(error))
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        _show({}, kinds)


def _show(depths: Depths, kinds: Sequence[str]) -> None:
    for kind in kinds:
        for priority in Priority:
            depth = depths.get((kind, priority), Depth())
            labels = (kind, priority.name.lower())
            QUEUED_TASKS.labels(*labels).set(depth.tasks)
            OLDEST_SECONDS.labels(*labels).set(depth.oldest_seconds)
