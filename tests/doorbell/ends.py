"""Both ends of a doorbell on a test's database, and what may befall their connections."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import asyncpg
from prometheus_client import REGISTRY

from shared.background import running
from shared.database import connect_directly
from shared.doorbell import Bell, Listener
from shared.doorbell.connection import Connection
from shared.doorbell.listener import PROBE_SECONDS
from shared.roles import API
from tests.conftest import Database, execute

CHANNEL = "morrow_test"
ROLE = "test"
PATIENCE = 60.0


@dataclass
class Line:
    """How one end connects: as often as it likes, while it may."""

    dsn: str
    may_connect: asyncio.Event = field(default_factory=asyncio.Event)
    backends: list[int] = field(default_factory=list)
    sent: list[set[str]] = field(default_factory=list)
    at_birth: list[Callable[[], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.may_connect.set()

    async def connect(self) -> Connection:
        await self.may_connect.wait()
        connection = await connect_directly(self.dsn, API, "doorbell-of-a-test")
        self.backends.append(connection.get_server_pid())
        connection.add_query_logger(self._note)
        if self.at_birth:
            self.at_birth.pop()()
        return connection

    def freeze(self) -> None:
        os.kill(self.backends[-1], signal.SIGSTOP)

    def thaw_all(self) -> None:
        for backend in self.backends:
            with suppress(ProcessLookupError):
                os.kill(backend, signal.SIGCONT)

    def _note(self, record: "asyncpg.connection.LoggedQuery") -> None:
        if record.args and record.args[1]:
            self.sent.append(set(record.args[1]))


@dataclass
class Ends:
    bell: Bell
    listener: Listener
    bells_line: Line
    listeners_line: Line


@asynccontextmanager
async def doorbell(
    database: Database, listens_at: str | None = None, probe_after: float = PROBE_SECONDS
) -> AsyncIterator[Ends]:
    bells, listeners = Line(database.api_dsn), Line(listens_at or database.api_dsn)
    async with doorbell_on(bells, listeners, probe_after) as ends:
        yield ends


@asynccontextmanager
async def doorbell_on(
    bells: Line, listeners: Line, probe_after: float = PROBE_SECONDS
) -> AsyncIterator[Ends]:
    bell = Bell(bells.connect)
    listener = Listener(listeners.connect, (CHANNEL,), bell, ROLE, probe_after)
    try:
        async with running(bell.run(), listener.run()):
            yield Ends(bell, listener, bells, listeners)
    finally:
        bells.thaw_all()
        listeners.thaw_all()


async def kill(database: Database, backend: int) -> None:
    await execute(database.admin_dsn, f"SELECT pg_terminate_backend({backend})")


async def ring_from_elsewhere(database: Database, topic: str) -> None:
    await execute(database.admin_dsn, f"SELECT pg_notify('{CHANNEL}', '{topic}')")


async def heard(rung: asyncio.Event, within: float = PATIENCE) -> bool:
    try:
        async with asyncio.timeout(within):
            await rung.wait()
    except TimeoutError:
        return False
    rung.clear()
    return True


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.sleep(0.005)


def told(metric: str, role: str = ROLE) -> float:
    value = REGISTRY.get_sample_value(metric, {"role": role})
    assert value is not None
    return value
