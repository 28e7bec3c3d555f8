"""Connections to pods, kept between requests as ingress-nginx keeps them."""

import asyncio
from collections import defaultdict, deque
from dataclasses import dataclass, field

from tests.infrastructure.kubelet.wire import MOST_HEAD, Broken, Message, read_message

CONNECT_SECONDS = 5.0
KEPT_SECONDS = 60.0
KEPT_CONNECTIONS = 320
"""Ingress-nginx's own: upstream-keepalive-timeout, upstream-keepalive-connections."""


@dataclass(eq=False, slots=True)
class Connection:
    """`exchanges` that went over it before."""

    port: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    exchanges: int = 0
    idle_since: float = 0.0

    @property
    def is_closed(self) -> bool:
        """As far as is known here: what the other end did may be on its way yet."""
        return self.reader.at_eof() or self.writer.is_closing()

    async def exchange(self, request: bytes) -> Message:
        """Raises Broken."""
        self.exchanges += 1
        try:
            self.writer.write(request)
            await self.writer.drain()
        except OSError:
            raise Broken(begun=False) from None
        return await read_message(self.reader)

    def close(self) -> None:
        self.writer.transport.abort()


@dataclass(slots=True)
class Upstreams:
    _idle: defaultdict[int, deque[Connection]] = field(default_factory=lambda: defaultdict(deque))

    async def connection(self, port: int) -> Connection:
        """The one that was used last, else a new one. Raises OSError, TimeoutError."""
        idle, now = self._idle[port], asyncio.get_running_loop().time()
        while idle:
            kept = idle.pop()
            if not kept.is_closed and now - kept.idle_since < KEPT_SECONDS:
                return kept
            kept.close()
        async with asyncio.timeout(CONNECT_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=MOST_HEAD)
        return Connection(port, reader, writer)

    def keep(self, connection: Connection) -> None:
        """Also to a pod that is not routed to any more: it is not chosen, and grows old here."""
        connection.idle_since = asyncio.get_running_loop().time()
        self._idle[connection.port].append(connection)
        if sum(map(len, self._idle.values())) > KEPT_CONNECTIONS:
            min((each[0] for each in self._idle.values() if each), key=_age).close()

    def close(self) -> None:
        for idle in self._idle.values():
            for connection in idle:
                connection.close()


def _age(connection: Connection) -> float:
    return connection.idle_since
