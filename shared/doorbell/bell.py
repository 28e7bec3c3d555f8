"""The bell of a process: what is rung is sent at once, by one NOTIFY at a time.

What is rung while one is on its way goes with the next. So a lone ring waits for nothing, and many
are sent as fast as the server takes them, and no faster.
"""

import asyncio
from collections.abc import Collection
from typing import Final

from shared.doorbell.connection import Connect, Connection, keep_connected

RING: Final = (
    "SELECT pg_notify(channel, topic) FROM unnest($1::text[], $2::text[]) AS rung (channel, topic)"
)
SEND_SECONDS: Final = 2.0
"""Less than a listener waits for its own ring, so that it does not take the fault for its own."""


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
        await keep_connected(self._connect, self._send_from, "bell_lost")

    async def _send_from(self, connection: Connection) -> None:
        await _send(connection, ())  # prepares the statement, before there is haste
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            rings, self._pending = self._pending, set()
            try:
                await _send(connection, rings)
            except BaseException:
                self._pending |= rings
                self._wanted.set()
                raise


async def _send(connection: Connection, rings: Collection[tuple[str, str]]) -> None:
    channels, topics = [channel for channel, _ in rings], [topic for _, topic in rings]
    await connection.execute(RING, channels, topics, timeout=SEND_SECONDS)
