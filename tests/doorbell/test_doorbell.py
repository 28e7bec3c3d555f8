"""A ring is heard, whenever it is rung."""

import asyncio
import random
from pathlib import Path

from shared.background import running
from shared.doorbell import Bell, wait_for_ring
from tests.conftest import Database
from tests.cut_wire import wire_to
from tests.doorbell.ends import CHANNEL, Line, doorbell, heard, kill, until

TOPICS = 40
RINGS = 2_000
KILLS = 6


async def test_a_ring_wakes_those_of_its_topic_and_nobody_else(database: Database) -> None:
    async with (
        doorbell(database) as ends,
        ends.listener.subscribe(CHANNEL, "a") as ours,
        ends.listener.subscribe(CHANNEL, "a") as also_ours,
        ends.listener.subscribe(CHANNEL, "b") as theirs,
    ):
        assert await heard(theirs)  # all are woken once the listener hears
        ours.clear()
        also_ours.clear()
        ends.bell.ring(CHANNEL, "a")
        assert await heard(ours)
        assert await heard(also_ours)
        assert not theirs.is_set()


async def test_no_ring_is_lost_to_one_that_is_being_sent(database: Database) -> None:
    async with doorbell(database) as ends, ends.listener.subscribe(CHANNEL, "a") as rung:
        assert await heard(rung)
        for turn in range(300):
            ends.bell.ring(CHANNEL, "a")
            assert await heard(rung, within=2.0), f"ring {turn} was lost"


async def test_what_is_rung_while_a_ring_is_on_its_way_goes_as_one_with_the_next(
    database: Database, tmp_path: Path
) -> None:
    async with wire_to(database.api_dsn, tmp_path) as (wire, dsn):
        line = Line(dsn)
        bell = Bell(line.connect)
        async with running(bell.run()):
            bell.ring(CHANNEL, "first")
            await until(lambda: bool(line.sent))
            wire.cut()
            bell.ring(CHANNEL, "second")
            await asyncio.sleep(0.1)
            for topic in ("third", "fourth", "third"):
                bell.ring(CHANNEL, topic)
                await asyncio.sleep(0.01)
            assert line.sent == [{"first"}]
            wire.mend()
            await until(lambda: len(line.sent) == 3)
    assert line.sent == [{"first"}, {"second"}, {"third", "fourth"}]


async def test_nobody_misses_the_last_ring_though_both_ends_are_killed_again_and_again(
    database: Database,
) -> None:
    """Readers read again when woken, and never else; each comes to read what was written last."""
    draw = random.Random(7)
    written, read = [0] * TOPICS, [0] * TOPICS

    async def keep_reading(topic: int) -> None:
        async with ends.listener.subscribe(CHANNEL, str(topic)) as rung:
            while True:
                read[topic] = written[topic]
                await rung.wait()
                rung.clear()

    async with doorbell(database) as ends:
        async with running(*(keep_reading(topic) for topic in range(TOPICS))):
            await until(lambda: ends.listener.hears)
            for ring in range(RINGS):
                topic = draw.randrange(TOPICS)
                written[topic] += 1
                ends.bell.ring(CHANNEL, str(topic))
                if ring % 5 == 0:
                    await asyncio.sleep(0.001)
                if ring % (RINGS // KILLS) == 0:
                    line = draw.choice((ends.bells_line, ends.listeners_line))
                    await kill(database, line.backends[-1])
            await until(lambda: read == written)
        assert len(ends.bells_line.backends) + len(ends.listeners_line.backends) > 2


async def test_waiting_tells_whether_it_was_rung(database: Database) -> None:
    rung = asyncio.Event()
    assert not await wait_for_ring(rung, 0.01)
    rung.set()
    assert await wait_for_ring(rung, 0.01)
    assert not rung.is_set()
