"""How much is queued, and for how long, as the leading worker tells it."""

import asyncio
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest
from prometheus_client import REGISTRY

from services.training.queue.depth import read_depths, tell_depths
from services.training.queue.task import Priority, State
from tests.conftest import Database, execute
from tests.queue.real_queue import Queue

INTERACTIVE = ("bake", Priority.INTERACTIVE)
PATIENCE = 60.0


async def age(database: Database, task_id: int, by: timedelta) -> None:
    seconds = by.total_seconds()
    await execute(
        database.admin_dsn,
        f"UPDATE tasks SET created_at = now() - interval '{seconds} s' WHERE id = {task_id}",
    )


def told(name: str, kind: str, each: str) -> float | None:
    return REGISTRY.get_sample_value(name, {"kind": kind, "class": each})


async def test_an_empty_queue_has_no_depth(queue: Queue) -> None:
    assert await read_depths(queue.engine) == {}


async def test_kinds_and_classes_are_counted_apart_and_tenants_together(
    queue: Queue, database: Database
) -> None:
    first, second = await queue.tenant(), await queue.tenant()
    [old, _] = await queue.put(first, 2)
    await queue.put(second, 3)
    await queue.put(second, kind="fry")
    await queue.put(first, priority=Priority.BACKFILL)
    await age(database, old, timedelta(hours=1))

    depths = await read_depths(queue.engine)

    assert {key: depth.tasks for key, depth in depths.items()} == {
        INTERACTIVE: 5,
        ("fry", Priority.INTERACTIVE): 1,
        ("bake", Priority.BACKFILL): 1,
    }
    assert 3600 <= depths[INTERACTIVE].oldest_seconds < 3600 + PATIENCE
    assert 0 <= depths["fry", Priority.INTERACTIVE].oldest_seconds < PATIENCE


async def test_what_nobody_could_claim_does_not_count(queue: Queue, tenant_id: UUID) -> None:
    await queue.put(tenant_id, state=State.HELD)
    await queue.put(tenant_id, 2)
    await queue.claim_one()
    assert (await read_depths(queue.engine))[INTERACTIVE].tasks == 1


async def test_the_server_reads_an_index_alone(queue: Queue, database: Database) -> None:
    tenant_id = await queue.tenant()
    await queue.put(tenant_id, 200)
    await execute(database.admin_dsn, "VACUUM ANALYZE tasks")
    assert "Index Only Scan using ix_tasks_age" in await plan_of_depth(database)


async def plan_of_depth(database: Database) -> str:
    """The function's body, planned under its own settings."""
    connection = await asyncpg.connect(database.admin_dsn)
    try:
        [body, settings] = await connection.fetchrow(
            "SELECT prosrc, proconfig FROM pg_proc WHERE proname = 'queue_depth'"
        )
        for setting in settings:
            await connection.execute(f"SET {setting}")
        return "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {body}"))
    finally:
        await connection.close()


async def test_the_leader_tells_of_it_and_who_led_of_nothing(
    queue: Queue, tenant_id: UUID, database: Database
) -> None:
    [task_id, _] = await queue.put(tenant_id, 2)
    await age(database, task_id, timedelta(hours=1))
    telling = asyncio.create_task(tell_depths(queue.engine, ["bake", "fry"]))
    async with asyncio.timeout(PATIENCE):
        while told("morrow_queue_tasks", "bake", "interactive") != 2:
            await asyncio.sleep(0.01)
    oldest = told("morrow_queue_oldest_seconds", "bake", "interactive")
    assert oldest is not None
    assert oldest >= 3600
    assert told("morrow_queue_tasks", "fry", "scheduled") == 0
    telling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await telling
    assert told("morrow_queue_tasks", "bake", "interactive") == 0
    assert told("morrow_queue_oldest_seconds", "bake", "interactive") == 0
