"""What a ring of the doorbell costs the database, by how many listen."""

import asyncio
from typing import Final

import asyncpg
import numpy as np

from benchmarks.scaling.measuring.bill import Till
from benchmarks.scaling.measuring.figure import Figure
from shared.doorbell.bell import RING
from shared.postgres import RunningPostgres

LISTENERS: Final = (1, 30, 60, 120)
CHANNEL: Final = "morrow_probe_of_another"


def notify_costs(server: RunningPostgres, rings: int) -> dict[str, Figure]:
    return asyncio.run(_measure(server, Till(server), rings))


async def _measure(server: RunningPostgres, till: Till, rings: int) -> dict[str, Figure]:
    """Each listens to a channel of its own, as processes do for their probes: none of the rings is
    for any of them, and all are woken."""
    bell = await asyncpg.connect(server.url())
    listening: list[asyncpg.Connection[asyncpg.Record]] = []
    spent = []
    for wanted in LISTENERS:
        while len(listening) < wanted:
            one = await asyncpg.connect(server.url())
            await one.add_listener(f"morrow_probe_{len(listening)}", _heard)
            listening.append(one)
        bill = await till.bill_of(lambda: _ring(bell, rings))
        spent.append(1000 * bill.cpu_seconds / rings)
    for each in (*listening, bell):
        await each.close()
    slope, intercept = np.polyfit(LISTENERS, spent, 1)
    how = f"{rings} rings a round with {', '.join(map(str, LISTENERS))} listeners, a line through"
    return {
        "ring_db_ms": Figure(float(intercept), "ms", rings, how),
        "ring_db_ms_per_listener": Figure(float(slope), "ms", rings, how),
    }


async def _ring(bell: "asyncpg.Connection[asyncpg.Record]", rings: int) -> None:
    for _ in range(rings):
        await bell.execute(RING, [CHANNEL], [""])
        await asyncio.sleep(0.005)  # rings in a row would be heard as one


def _heard(*_: object) -> None:
    pass
