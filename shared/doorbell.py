"""Doorbells over LISTEN/NOTIFY: a hint that there is something to read, never the thing itself.

NOTIFY takes a global lock at commit, so it is never sent inside a transaction that does work:
each process rings from one connection of its own, and rings that pile up are sent as one. A
LISTEN connection that was killed stays silent, so it is probed; and whenever it had to be made
anew, every subscriber is woken, since a ring may have been missed meanwhile.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
import structlog

Connect = Callable[[], Awaitable["asyncpg.Connection[asyncpg.Record]"]]
LOST = (
    OSError,  # a TimeoutError among them
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # asked between the server's last word and the end of the stream
)

COALESCE_SECONDS = 0.01
PROBE_SECONDS = 2.0
RETRY_SECONDS = 0.5

log = structlog.get_logger()


class Bell:
    """Rings topics on a channel. `ring` never waits and never fails."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._pending: set[tuple[str, str]] = set()
        self._wanted = asyncio.Event()

    def ring(self, channel: str, topic: str = "") -> None:
        self._pending.add((channel, topic))
        self._wanted.set()

    async def run(self) -> None:
        """Send what is rung until cancelled."""
        while True:
            try:
                connection = await self._connect()
                try:
                    await self._send_from(connection)
                finally:
                    connection.terminate()
            except LOST as error:
                log.warning("bell_lost", error=str(error))
                await asyncio.sleep(RETRY_SECONDS)

    async def _send_from(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        while True:
            await self._wanted.wait()
            await asyncio.sleep(COALESCE_SECONDS)
            self._wanted.clear()
            rings, self._pending = self._pending, set()
            try:
                await connection.execute(
                    "SELECT pg_notify(channel, topic) FROM unnest($1::text[], $2::text[]) "
                    "AS rung (channel, topic)",
                    [channel for channel, _ in rings],
                    [topic for _, topic in rings],
                    timeout=5,
                )
            except BaseException:
                self._pending |= rings
                self._wanted.set()
                raise


class Listener:
    """Hears the channels it was made for and wakes those who wait for a topic."""

    def __init__(self, connect: Connect, channels: tuple[str, ...]) -> None:
        self._connect = connect
        self._channels = channels
        self._waiting: dict[tuple[str, str], set[asyncio.Event]] = {}
        self.hears = False

    @asynccontextmanager
    async def subscribe(self, channel: str, topic: str = "") -> AsyncIterator[asyncio.Event]:
        """An event that is set whenever (channel, topic) is rung; the subscriber clears it."""
        rung = asyncio.Event()
        waiting = self._waiting.setdefault((channel, topic), set())
        waiting.add(rung)
        try:
            yield rung
        finally:
            waiting.discard(rung)
            if not waiting:
                self._waiting.pop((channel, topic), None)

    async def run(self) -> None:
        """Listen until cancelled, on a new connection whenever the last one was lost."""
        while True:
            try:
                connection = await self._connect()
                try:
                    await self._hear_from(connection)
                finally:
                    self.hears = False
                    connection.terminate()
            except LOST as error:
                log.warning("listener_lost", error=str(error))
                await asyncio.sleep(RETRY_SECONDS)

    async def _hear_from(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        for channel in self._channels:
            await connection.add_listener(channel, self._wake)
        self.hears = True
        self._wake_all()
        while True:
            await asyncio.sleep(PROBE_SECONDS)
            await connection.execute("SELECT 1", timeout=PROBE_SECONDS)

    def _wake(self, _connection: object, _pid: int, channel: str, payload: object) -> None:
        for rung in self._waiting.get((channel, str(payload)), ()):
            rung.set()

    def _wake_all(self) -> None:
        for waiting in self._waiting.values():
            for rung in waiting:
                rung.set()


async def wait_for_ring(rung: asyncio.Event, seconds: float) -> None:
    """Until rung, or for `seconds`: the slow poll that needs no doorbell."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await rung.wait()
    rung.clear()
