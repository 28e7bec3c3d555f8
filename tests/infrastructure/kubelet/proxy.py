"""A proxy on loopback that routes as ingress-nginx does.

It takes pods in turn, keeps connections to them, and reads answers whole before it passes them on.
It goes on to the next pod, three times at most, if it cannot connect; or, where the Ingress says
`error`, if the connection ends before anything of an answer came, and then only for methods that
may be repeated (RFC 9110, 9.2.2). Upgraded connections it passes through. It speaks no TLS, buffers
requests, waits for answers for ever, and does not pass on what is streamed without an upgrade
(server-sent events).
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count

from tests.infrastructure.kubelet.endpoints import Endpoints
from tests.infrastructure.kubelet.upstream import Connection, Upstreams
from tests.infrastructure.kubelet.wire import LINE, MOST_HEAD, Broken, Message, read_message

REPEATABLE = {"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"}
TRIES = 3
PIECE = 65536


@dataclass(slots=True)
class Proxy:
    """`next_upstream` are the words of the Ingress. `repeated` counts what was asked of another
    pod, and why; `own` the answers that are its own."""

    endpoints: Endpoints
    next_upstream: frozenset[str]
    port: int = 0
    repeated: Counter[str] = field(default_factory=Counter)
    own: Counter[int] = field(default_factory=Counter)
    _upstreams: Upstreams = field(default_factory=Upstreams)
    _turns: "count[int]" = field(default_factory=count)
    _clients: set[asyncio.Task[None]] = field(default_factory=set)

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A connection of a client, which is served until either ends it."""
        client = asyncio.create_task(self._serve(reader, writer))
        self._clients.add(client)
        client.add_done_callback(self._clients.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(Broken, OSError):
                while True:
                    request = await read_message(reader)
                    if request.upgrades:
                        await self._upgrade(request, reader, writer)
                        return
                    answer = await self._answer(request)
                    writer.write(answer.head + answer.body)
                    await writer.drain()
        finally:
            writer.transport.abort()

    async def close(self) -> None:
        for client in list(self._clients):
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        self._upstreams.close()
        for _ in range(2):
            await asyncio.sleep(0)  # what is cut off is closed in the loop's next turns

    async def _answer(self, request: Message) -> Message:
        answered = await self._ask(request)
        if isinstance(answered, int):
            return self._say(answered)
        connection, answer = answered
        if answer.ends_connection:
            connection.close()
            return Message(_without_close(answer.head), answer.body)
        self._upstreams.keep(connection)
        return answer

    async def _ask(self, request: Message) -> tuple[Connection, Message] | int:
        """The first pod's answer that came, and over which connection; or the status to say."""
        told, tried = _forwarded(request), set[int]()
        for _ in range(TRIES):
            port = self._choose(tried)
            if port is None:
                return 503
            tried.add(port)
            try:
                connection = await self._upstreams.connection(port)
            except (OSError, TimeoutError):
                self.repeated["not connected"] += 1
                continue
            try:
                return connection, await connection.exchange(told)
            except Broken as broken:
                connection.close()
                if not self._may_repeat(request, broken):
                    return 502
                self.repeated["closed before an answer"] += 1
        return 502

    def _choose(self, tried: set[int]) -> int | None:
        """The next in turn, and one that was not asked yet while there is one."""
        routed = self.endpoints.routed
        fresh = [port for port in routed if port not in tried] or routed
        return fresh[next(self._turns) % len(fresh)] if fresh else None

    def _may_repeat(self, request: Message, broken: Broken) -> bool:
        repeats = "error" in self.next_upstream and not broken.begun
        return repeats and request.start[0] in REPEATABLE

    def _say(self, status: int) -> Message:
        self.own[status] += 1
        return Message(f"HTTP/1.1 {status} Proxy\r\nContent-Length: 0\r\n\r\n".encode())

    async def _upgrade(
        self, request: Message, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        answered = await self._ask(request)
        if isinstance(answered, int):
            writer.write(self._say(answered).head)
            await writer.drain()
            return
        connection, answer = answered
        try:
            writer.write(answer.head + answer.body)
            if answer.status == 101:
                await _both_ways(reader, writer, connection)
        finally:
            connection.close()


async def _both_ways(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: Connection
) -> None:
    """Until the pod has said its last; a client that goes takes its connection with it."""
    inward = asyncio.create_task(_pass_on(reader, connection.writer))
    try:
        await _pass_on(connection.reader, writer)
    finally:
        inward.cancel()
        await asyncio.gather(inward, return_exceptions=True)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(PIECE):
            writer.write(piece)
            await writer.drain()
        writer.write_eof()


def _forwarded(request: Message) -> bytes:
    """As the next one is told it: who asked, and by what."""
    added = b"X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: https\r\n"
    first, _, rest = request.head.partition(LINE)
    return first + LINE + added + rest + request.body


def _without_close(head: bytes) -> bytes:
    """Its connection is the proxy's own matter."""
    lines = head.split(LINE)
    return LINE.join(line for line in lines if not line.lower().startswith(b"connection:"))


@asynccontextmanager
async def proxying(endpoints: Endpoints, next_upstream: str) -> AsyncIterator[Proxy]:
    proxy = Proxy(endpoints, frozenset(next_upstream.split()))
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", 0, limit=MOST_HEAD, backlog=1024)
    async with server:
        proxy.port = server.sockets[0].getsockname()[1]
        try:
            yield proxy
        finally:
            await proxy.close()
