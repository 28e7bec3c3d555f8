"""The ears of a process: one connection that hears, and knows whether it does.

A connection that was killed says so. One whose backend is frozen, whose network swallows what is
sent, or whose LISTEN went to another session behind a pooler, says nothing, and would answer every
question: that it hears is proved by hearing alone. So, once nothing was heard for `PROBE_SECONDS`,
the process rings a channel of its own, from its other connection, and must hear it within
`ANSWER_SECONDS`. Silence ends the connection; on the next one every subscriber is woken, since a
ring may have been missed.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from uuid import uuid4

from shared.doorbell.bell import Bell
from shared.doorbell.connection import Connect, Connection, keep_connected, require_open
from shared.doorbell.telemetry import LISTENER_UP, RECONNECTS, ROUND_TRIP_SECONDS

PROBE_SECONDS: Final = 1.0
ANSWER_SECONDS: Final = 3.0
TURNS: Final = 6
"""In which the answer is waited for: a process that stood still itself has lost one of them."""


class ListenerDeaf(ConnectionError):
    def __init__(self) -> None:
        super().__init__(f"nothing was heard for {ANSWER_SECONDS:g} s, not even what was rung here")


class Listener:
    """Hears the channels it was made for and wakes those who wait for a topic.

    `bell` must run in the same process; `role` says what kind of process it is. `hears` is False
    from the start until something was heard, at once after the connection ended, and
    `probe_after + ANSWER_SECONDS` after it fell silent.
    """

    def __init__(
        self,
        connect: Connect,
        channels: tuple[str, ...],
        bell: Bell,
        role: str,
        probe_after: float = PROBE_SECONDS,
    ) -> None:
        self._connect = connect
        self._channels = channels
        self._bell = bell
        self._probe_after = probe_after
        role = role.removeprefix("morrow_")
        self._up, self._reconnects = LISTENER_UP.labels(role), RECONNECTS.labels(role)
        self._own_channel = f"morrow_probe_{uuid4().hex}"
        self._waiting: dict[tuple[str, str], set[asyncio.Event]] = {}
        self._heard = asyncio.Event()
        self._has_listened = False
        self._set_hears(False)

    @asynccontextmanager
    async def subscribe(self, channel: str, topic: str = "") -> AsyncIterator[asyncio.Event]:
        """An event that is set whenever (channel, topic) is rung, or may have been; the subscriber
        clears it."""
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
        await keep_connected(self._connect, self._hear_from, "listener_lost")

    async def _hear_from(self, connection: Connection) -> None:
        ended = asyncio.Event()
        connection.add_termination_listener(lambda _: self._end(ended))
        await self._listen_on(connection)
        self._wake_all()
        try:
            while True:
                await self._prove_hearing()
                require_open(connection)
                self._set_hears(True)
                await wait_for_ring(ended, self._probe_after)
                require_open(connection)
        finally:
            self._set_hears(False)

    async def _listen_on(self, connection: Connection) -> None:
        async with asyncio.timeout(ANSWER_SECONDS):
            for channel in (*self._channels, self._own_channel):
                await connection.add_listener(channel, self._wake)
        self._heard.clear()
        if self._has_listened:
            self._reconnects.inc()
        self._has_listened = True

    async def _prove_hearing(self) -> None:
        """Returns once something was heard since this was last asked; raises ListenerDeaf."""
        if not self._heard.is_set():
            with ROUND_TRIP_SECONDS.time():
                self._bell.ring(self._own_channel)
                for _ in range(TURNS):
                    if await wait_for_ring(self._heard, ANSWER_SECONDS / TURNS):
                        return
            raise ListenerDeaf
        self._heard.clear()

    def _end(self, ended: asyncio.Event) -> None:
        ended.set()
        self._heard.set()  # nobody need wait for it any longer

    def _set_hears(self, hears: bool) -> None:
        self.hears = hears
        self._up.set(hears)

    def _wake(self, _connection: object, _pid: int, channel: str, payload: object) -> None:
        self._heard.set()
        for rung in self._waiting.get((channel, str(payload)), ()):
            rung.set()

    def _wake_all(self) -> None:
        for waiting in self._waiting.values():
            for rung in waiting:
                rung.set()


async def wait_for_ring(rung: asyncio.Event, seconds: float) -> bool:
    """Until rung, or for `seconds`: the slow poll that needs no doorbell. Whether it was rung."""
    try:
        async with asyncio.timeout(seconds):
            await rung.wait()
    except TimeoutError:
        return False
    rung.clear()
    return True
