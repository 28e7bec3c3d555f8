"""How soon a ring is heard, and what ringing costs those who commit: prints JSON.

    python -m benchmarks.doorbell_speed [--rings 1000] [--seconds 5]

The product's own `Bell` and `Listener`, in one process, on a private PostgreSQL that syncs.

quiet       from `ring` until who waits for it was woken, one ring at a time, a moment apart
commits     small writes that one connection commits a second: alone, then beside bells of another
            process, of which each is rung again as soon as its last ring was sent; with what these
            sent a second, and how soon a ring of this process was heard meanwhile
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import asyncpg

from shared.background import running
from shared.database import connect_directly
from shared.doorbell import Bell, Connect, Listener
from shared.postgres import EmbeddedPostgres, RunningPostgres
from shared.roles import API

CHANNEL = "morrow_benchmark"
BELLS = (1, 4, 8)
PAUSE_SECONDS = 0.005


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rings", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--flood", type=int, metavar="BELLS", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.flood:
        print(asyncio.run(flood_until_told(sys.stdin.readline().strip(), options.flood)))
        return
    with tempfile.TemporaryDirectory(prefix="morrow-bench-") as folder:
        Path(folder).chmod(0o711)
        with EmbeddedPostgres().start(Path(folder) / "pg") as server:
            print(json.dumps(asyncio.run(run(server, options.rings, options.seconds)), indent=2))


async def run(server: RunningPostgres, rings: int, seconds: float) -> dict[str, object]:
    connect = connecting(server.url(API))
    bell = Bell(connect)
    listener = Listener(connect, (CHANNEL,), bell, "benchmark")
    writer = await asyncpg.connect(server.url())
    await writer.execute("CREATE TABLE written (n serial PRIMARY KEY, what text)")
    async with running(bell.run(), listener.run()):
        while not listener.hears:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
        quiet = told(await time_rings(bell, listener, rings))
        commits: dict[str, object] = {"alone_a_second": await count_commits(writer, seconds)}
        for bells in BELLS:
            async with flood(server.url(API), bells) as sent:
                beside = {"a_second": await count_commits(writer, seconds)}
                heard = told(await time_rings(bell, listener, rings // 5))
            commits[f"beside_{bells}_bells"] = beside | {"notifies_a_second": sent[0]} | heard
    await writer.close()
    return {"quiet": quiet, "commits": commits}


def connecting(dsn: str) -> Connect:
    return partial(connect_directly, dsn, API, "benchmark")


async def time_rings(bell: Bell, listener: Listener, rings: int) -> list[float]:
    """Seconds from each ring until it was heard."""
    took = []
    async with listener.subscribe(CHANNEL, "timed") as rung:
        for _ in range(rings):
            await asyncio.sleep(PAUSE_SECONDS)
            began = time.perf_counter()
            bell.ring(CHANNEL, "timed")
            await rung.wait()
            took.append(time.perf_counter() - began)
            rung.clear()
    return took


async def count_commits(writer: "asyncpg.Connection[asyncpg.Record]", seconds: float) -> int:
    """How many writes were committed a second, one after the other."""
    began, commits = time.perf_counter(), 0
    while time.perf_counter() < began + seconds:
        await writer.execute("INSERT INTO written (what) VALUES ($1)", "x" * 200)
        commits += 1
    return round(commits / seconds)


@asynccontextmanager
async def flood(dsn: str, bells: int) -> AsyncIterator[list[int]]:
    """So many bells ring in another process; what they sent a second is known in the end."""
    command = (sys.executable, "-m", "benchmarks.doorbell_speed", "--flood", str(bells))
    pipe = asyncio.subprocess.PIPE
    other = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    assert other.stdin is not None
    assert other.stdout is not None
    other.stdin.write(f"{dsn}\n".encode())
    await other.stdout.readline()
    sent: list[int] = []
    yield sent
    other.stdin.close()
    sent.append(int(await other.stdout.read()))
    await other.wait()


async def flood_until_told(dsn: str, bells: int) -> int:
    """Ring until standard input ends; how many NOTIFYs were sent a second."""
    made: list[Bell] = []
    sent = [0]
    for number in range(bells):
        made.append(Bell(partial(connect_to_ring, dsn, made, number, sent)))
    async with running(*(bell.run() for bell in made)):
        while not sent[0]:  # noqa: ASYNC110 - the first of them has begun
            await asyncio.sleep(0.01)
        began, before = time.perf_counter(), sent[0]
        print("ringing", flush=True)
        await asyncio.to_thread(sys.stdin.read)
        return round((sent[0] - before) / (time.perf_counter() - began))


async def connect_to_ring(
    dsn: str, bells: Sequence[Bell], number: int, sent: list[int]
) -> "asyncpg.Connection[asyncpg.Record]":
    """A connection of this bell that has it rung again whenever it has sent."""

    def ring_again(_: object) -> None:
        sent[0] += 1
        bells[number].ring(CHANNEL, f"flood {sent[0] % 100}")

    connection = await connecting(dsn)()
    connection.add_query_logger(ring_again)
    return connection


def told(seconds: Sequence[float]) -> dict[str, float]:
    cuts = statistics.quantiles(seconds, n=100)
    return {f"p{n}_ms": round(cuts[n - 1] * 1000, 2) for n in (50, 99)}


if __name__ == "__main__":
    main()
