"""A ring is heard, whenever it is rung; and who may have missed one is woken."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import asyncpg

from shared.background import running
from shared.database import connect_directly
from shared.doorbell import Bell, Listener, wait_for_ring
from shared.roles import API
from tests.conftest import Database

CHANNEL = "morrow_test"
PATIENCE = 10.0


@asynccontextmanager
async def doorbell(database: Database) -> AsyncIterator[tuple[Bell, Listener]]:
    connect = partial(connect_directly, database.api_dsn, API, "doorbell-of-a-test")
    bell, listener = Bell(connect), Listener(connect, (CHANNEL,))
    async with running(bell.run(), listener.run()):
        yield bell, listener


async def cut_off(database: Database) -> int:
    operator = await asyncpg.connect(database.admin_dsn)
    try:
        ended: int = await operator.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE application_name = 'doorbell-of-a-test' AND datname = current_database()"
        )
        return ended
    finally:
        await operator.close()


async def heard(rung: asyncio.Event, within: float = PATIENCE) -> bool:
    try:
        async with asyncio.timeout(within):
            await rung.wait()
    except TimeoutError:
        return False
    rung.clear()
    return True


async def test_a_ring_wakes_those_of_its_topic_and_nobody_else(database: Database) -> None:
    async with (
        doorbell(database) as (bell, listener),
        listener.subscribe(CHANNEL, "a") as ours,
        listener.subscribe(CHANNEL, "a") as also_ours,
        listener.subscribe(CHANNEL, "b") as theirs,
    ):
        assert await heard(theirs)  # all are woken once the listener hears
        ours.clear()
        also_ours.clear()
        bell.ring(CHANNEL, "a")
        assert await heard(ours)
        assert await heard(also_ours)
        assert not theirs.is_set()


async def test_no_ring_is_lost_to_one_that_is_being_sent(database: Database) -> None:
    async with doorbell(database) as (bell, listener), listener.subscribe(CHANNEL, "a") as rung:
        assert await heard(rung)
        for turn in range(300):
            bell.ring(CHANNEL, "a")
            assert await heard(rung, within=2.0), f"ring {turn} was lost"


async def test_who_may_have_missed_a_ring_is_woken_and_hears_the_next(database: Database) -> None:
    async with doorbell(database) as (bell, listener), listener.subscribe(CHANNEL, "a") as rung:
        assert await heard(rung)
        bell.ring(CHANNEL, "a")
        assert await heard(rung)
        assert await cut_off(database) == 2
        bell.ring(CHANNEL, "a")
        assert await heard(rung)
        while not listener.hears:
            await asyncio.sleep(0.01)
        rung.clear()
        bell.ring(CHANNEL, "a")
        assert await heard(rung)


async def test_waiting_ends_without_a_ring_too() -> None:
    await wait_for_ring(asyncio.Event(), 0.01)
