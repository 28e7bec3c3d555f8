"""A worker process wired as the service's own, with the bakery for cargo and a short lease."""

import asyncio
import json
import signal
import sys
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random

from services.training.queue.children import ChildLimits, Slot, fork_server
from services.training.queue.lifeline import CANCELLED_CHANNEL, LeaseTerms, Lifeline
from services.training.queue.locks import AdvisoryLocks
from services.training.queue.runner import QUEUED_CHANNEL, Cargo, Lane, Runner
from shared.background import running
from shared.database import PoolLimits, connect_directly, make_engine, make_sessions
from shared.doorbell import Bell, Listener
from shared.logging import configure_logging
from shared.roles import WORKER
from tests.chaos.bakery import Bakery
from tests.chaos.journal import Journal, Said
from tests.chaos.suspension import suspendable_clock

BAKE = "bake"
POOL = "chaos-worker"
LISTENER = "chaos-worker-listener"
BELL = "chaos-worker-bell"
LOCKS = "chaos-worker-locks"
PRELOADED = ["services.training.queue.preload", "services.training.queue.children",
             "tests.chaos.dough", "services.training.queue.settled"]  # fmt: skip
LEASE_SECONDS = 2.0
DEADLINE_LEASES = 2.5
DRAIN_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Post:
    """Where and how one worker works; its files are in `folder`, under its name."""

    name: str
    dsn: str
    folder: str
    slots: int = 4
    lease_seconds: float = LEASE_SECONDS
    renew_seconds: float = 0.5

    @property
    def journal(self) -> Path:
        return Path(self.folder) / f"{self.name}.journal"

    @property
    def slept(self) -> Path:
        return Path(self.folder) / f"{self.name}.slept"

    @property
    def log(self) -> Path:
        return Path(self.folder) / f"{self.name}.log"

    @property
    def command(self) -> list[str]:
        """Not `-m`: what is the main program every child would import for itself."""
        program = "from tests.chaos.worker import main; main()"
        return [sys.executable, "-c", program, json.dumps(asdict(self))]


def main() -> None:
    configure_logging("info", console=False)
    asyncio.run(work(Post(**json.loads(sys.argv[1]))))


class Hasty(Random):
    """Draws from the last fiftieth alone: a task that fails ten times for the faults it met waits
    seconds for its next attempt, not minutes."""

    def random(self) -> float:
        return 1 - (1 - super().random()) / 50


async def work(post: Post) -> None:
    """Work until SIGTERM, then drain; at a second one hand back at once."""
    stop, hurry = asyncio.Event(), asyncio.Event()
    _listen_for_signals(stop, hurry)
    async with AsyncExitStack() as held:
        journal = Journal(post.journal)
        runner, loops = _open(post, journal, held)
        async with running(*loops, runner.run()):
            journal.write(Said.READY)
            await stop.wait()
            await runner.drain(DRAIN_SECONDS, hurry)


def _open(
    post: Post, journal: Journal, held: AsyncExitStack
) -> tuple[Runner, list[Coroutine[object, object, None]]]:
    engine = make_engine(post.dsn, WORKER, PoolLimits(size=post.slots + 2), POOL)
    held.push_async_callback(engine.dispose)
    connect = partial(connect_directly, post.dsn, WORKER)
    bell = Bell(partial(connect, BELL))
    channels = (QUEUED_CHANNEL, CANCELLED_CHANNEL)
    listener = Listener(partial(connect, LISTENER), channels, bell, WORKER)
    terms = LeaseTerms(timedelta(seconds=post.lease_seconds), timedelta(seconds=post.renew_seconds))
    locks = AdvisoryLocks(partial(connect, LOCKS), silence=terms.length)
    held.push_async_callback(locks.close)
    sessions = make_sessions(engine, terms.length / 2)
    deadline = DEADLINE_LEASES * post.lease_seconds
    bakery = Bakery(post.name, sessions, locks, _slots(post, held), journal, deadline)
    lane = Lane({BAKE: Cargo(bakery.run, bakery.bury)}, post.slots)
    lifeline = Lifeline(engine, terms, listener, suspendable_clock(post.slept))
    runner = Runner(post.name, lane, engine, sessions, lifeline, listener, Hasty(post.name))
    return runner, [bell.run(), listener.run(), locks.run(), lifeline.run()]


def _slots(post: Post, held: AsyncExitStack) -> "asyncio.LifoQueue[Slot]":
    context = fork_server(PRELOADED)
    free: asyncio.LifoQueue[Slot] = asyncio.LifoQueue()
    for _ in range(post.slots):
        slot = Slot(context, ChildLimits())
        held.callback(slot.close)
        free.put_nowait(slot)
    return free


def _listen_for_signals(stop: asyncio.Event, hurry: asyncio.Event) -> None:
    def asked() -> None:
        if stop.is_set():
            hurry.set()
        stop.set()

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asked)
