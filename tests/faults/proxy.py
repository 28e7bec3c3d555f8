"""A proxy between a program and an upstream that makes the network bad, over real sockets.

    async with fault_proxy(upstream_port) as proxy:
        proxy.inject(Latency(0.2), Bandwidth(1000))
        ... call proxy.url ...
        await proxy.go_down()

Faults act on what the upstream answers, in their order, on connections that are made after
`inject`; those from before are cut, so that no kept connection escapes.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

PIECE = 65536
Pieces = AsyncIterator[bytes]


class Fault(Protocol):
    def spoil(self, pieces: Pieces, wire: "Wire") -> Pieces:
        """What comes out of `pieces` on their way to the client."""


@dataclass
class Wire:
    """One client's connection."""

    writer: asyncio.StreamWriter
    is_reset: bool = False

    def reset(self) -> None:
        """End with RST, as a crashed peer or a strict firewall does."""
        self.is_reset = True
        owned: socket.socket = self.writer.get_extra_info("socket")
        owned.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


@dataclass(frozen=True)
class Latency:
    """Each piece comes `seconds` late."""

    seconds: float

    async def spoil(self, pieces: Pieces, wire: Wire) -> Pieces:
        async for piece in pieces:
            await asyncio.sleep(self.seconds)
            yield piece


@dataclass(frozen=True)
class Bandwidth:
    """At most so many bytes pass in a second."""

    bytes_per_second: float

    async def spoil(self, pieces: Pieces, wire: Wire) -> Pieces:
        step = max(1, int(self.bytes_per_second / 20))
        async for piece in pieces:
            for start in range(0, len(piece), step):
                part = piece[start : start + step]
                await asyncio.sleep(len(part) / self.bytes_per_second)
                yield part


@dataclass(frozen=True)
class Slicer:
    """Pieces are cut to `size` bytes, with a pause after each."""

    size: int
    pause: float = 0.0

    async def spoil(self, pieces: Pieces, wire: Wire) -> Pieces:
        async for piece in pieces:
            for start in range(0, len(piece), self.size):
                yield piece[start : start + self.size]
                await asyncio.sleep(self.pause)


@dataclass(frozen=True)
class SlowClose:
    """Everything passes; the end of the connection comes `seconds` late."""

    seconds: float

    async def spoil(self, pieces: Pieces, wire: Wire) -> Pieces:
        async for piece in pieces:
            yield piece
        await asyncio.sleep(self.seconds)


@dataclass(frozen=True)
class Timeout:
    """Nothing passes; after `seconds` the connection is closed, and before that it hangs."""

    seconds: float

    async def spoil(self, pieces: Pieces, wire: Wire) -> Pieces:
        async for _ in pieces:
            await asyncio.sleep(self.seconds)
            return
        yield b""


@dataclass(frozen=True)
class Reset:
    """The connection is reset once `passing` bytes have passed."""

    passing: int = 0

    async def spoil(self, pieces: Pieces, wire: Wire) -> Pieces:
        left = self.passing
        async for piece in pieces:
            if left:
                yield piece[:left]
            left = max(0, left - len(piece))
            if not left:
                wire.reset()
                return


@dataclass(frozen=True)
class DataLimit:
    """The connection is closed, in good order, once `size` bytes have passed."""

    size: int

    async def spoil(self, pieces: Pieces, wire: Wire) -> Pieces:
        left = self.size
        async for piece in pieces:
            yield piece[:left]
            left -= len(piece)
            if left <= 0:
                return


@dataclass
class FaultProxy:
    """Forwards to `target` on loopback; counts the connections that were made to it."""

    target: int
    port: int = 0
    connections: int = 0
    _faults: tuple[Fault, ...] = ()
    _server: asyncio.Server | None = None
    _carrying: set["asyncio.Task[None]"] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def inject(self, *faults: Fault) -> None:
        """From now on these and no others; none: the network is well again."""
        self._faults = faults
        self.cut()

    def cut(self) -> None:
        """End every connection."""
        for task in self._carrying:
            task.cancel()

    async def go_up(self) -> None:
        """Listen, always at the same port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def go_down(self) -> None:
        """Refuse connections, and end those there are."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.cut()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.ensure_future(self._carry(reader, writer))
        self._carrying.add(task)
        task.add_done_callback(self._carrying.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire = Wire(writer)
        try:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except ConnectionError:
            writer.close()
            return
        forth = asyncio.ensure_future(_copy(_pieces(reader), there_writer))
        back = asyncio.ensure_future(_copy(self._spoiled(there_reader, wire), writer))
        try:
            await back
        finally:
            for way in (forth, back):
                way.cancel()
            await asyncio.gather(forth, back, return_exceptions=True)
            there_writer.close()
            if not wire.is_reset:
                writer.close()

    def _spoiled(self, reader: asyncio.StreamReader, wire: Wire) -> Pieces:
        pieces = _pieces(reader)
        for fault in self._faults:
            pieces = fault.spoil(pieces, wire)
        return pieces


async def _pieces(reader: asyncio.StreamReader) -> Pieces:
    with contextlib.suppress(ConnectionError):
        while piece := await reader.read(PIECE):
            yield piece


async def _copy(pieces: Pieces, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        async for piece in pieces:
            writer.write(piece)
            await writer.drain()


@asynccontextmanager
async def fault_proxy(target: int) -> AsyncIterator[FaultProxy]:
    """A proxy to the loopback port `target`, without faults at first; gone in the end."""
    proxy = FaultProxy(target)
    await proxy.go_up()
    try:
        yield proxy
    finally:
        await proxy.go_down()
