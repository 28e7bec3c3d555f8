"""A wire between a program and its PostgreSQL that a test can cut without either noticing."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy.engine import make_url

PIECE = 65536


class Wire:
    """Bytes cross while `whole`; what is sent otherwise waits until it is mended."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._whole = asyncio.Event()
        self._whole.set()
        self._left: int | None = None

    def cut(self) -> None:
        self._whole.clear()

    def cut_after(self, pieces: int) -> None:
        """Carry so many more to the server, and nothing more either way once the last is there."""
        self._left = pieces

    def mend(self) -> None:
        self._left = None
        self._whole.set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._whole.wait()
        there_reader, there_writer = await asyncio.open_unix_connection(self._target)
        ways = [
            asyncio.ensure_future(self._one_way(reader, there_writer, counted=True)),
            asyncio.ensure_future(self._one_way(there_reader, writer)),
        ]
        try:
            await asyncio.wait(ways)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.wait(ways)

    async def _one_way(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, counted: bool = False
    ) -> None:
        with contextlib.suppress(ConnectionError, BrokenPipeError):
            while piece := await reader.read(PIECE):
                await self._whole.wait()
                writer.write(piece)
                await writer.drain()
                if counted and self._left is not None:
                    self._left -= 1
                    if self._left <= 0:
                        self.cut()
        writer.close()


@asynccontextmanager
async def wire_to(dsn: str, folder: Path) -> AsyncIterator[tuple[Wire, str]]:
    """A wire to the server of `dsn`, and the DSN that goes through it."""
    url = make_url(dsn)
    name = f".s.PGSQL.{url.query['port']}"
    wire = Wire(f"{url.query['host']}/{name}")
    server = await asyncio.start_unix_server(wire.carry, folder / name)
    through = url.update_query_dict({"host": str(folder)})
    try:
        yield wire, through.render_as_string(hide_password=False)
    finally:
        wire.mend()
        server.close()


@asynccontextmanager
async def network_to(dsn: str) -> AsyncIterator[str]:
    """The DSN of the server of `dsn` as it is reached over TCP."""
    url = make_url(dsn)
    wire = Wire(f"{url.query['host']}/.s.PGSQL.{url.query['port']}")
    server = await asyncio.start_server(wire.carry, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    through = url.set(host="127.0.0.1", port=port, query={})
    try:
        yield through.render_as_string(hide_password=False)
    finally:
        server.close()
