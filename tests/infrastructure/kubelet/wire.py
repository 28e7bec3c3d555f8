"""Messages of HTTP/1.1 read whole, as a proxy and a client that measures need them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

LINE = b"\r\n"
BODILESS = {101, 204, 304}
MOST_HEAD = 2**18


class Broken(Exception):
    """The connection ended, or was reset, amid a message or where one was due. `begun` says
    whether anything of it had come."""

    def __init__(self, begun: bool) -> None:
        self.begun = begun
        super().__init__("cut off amid a message" if begun else "closed before a message")


@dataclass(frozen=True)
class Message:
    """`body` as it came, in chunks if it came so."""

    head: bytes
    body: bytes = b""

    @cached_property
    def start(self) -> list[str]:
        """The words of the first line."""
        return self.head.partition(LINE)[0].decode("latin-1").split(" ", 2)

    @cached_property
    def fields(self) -> Mapping[str, str]:
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        named = (line.partition(":") for line in lines if line)
        return {name.lower(): value.strip() for name, _, value in named}

    @property
    def status(self) -> int:
        return int(self.start[1])

    @property
    def ends_connection(self) -> bool:
        return "close" in self.fields.get("connection", "").lower()

    @property
    def upgrades(self) -> bool:
        return "upgrade" in self.fields.get("connection", "").lower()

    @property
    def content(self) -> bytes:
        """The body without its chunks."""
        if self.fields.get("transfer-encoding") != "chunked":
            return self.body
        pieces, rest = [], self.body
        while rest:
            size, _, rest = rest.partition(LINE)
            pieces.append(rest[: int(size, 16)])
            rest = rest[int(size, 16) + 2 :]
        return b"".join(pieces)


async def read_message(reader: asyncio.StreamReader) -> Message:
    """Raises Broken."""
    head = b""
    try:
        head = await reader.readuntil(2 * LINE)
        message = Message(head)
        return Message(head, await _read_body(reader, message))
    except asyncio.IncompleteReadError as error:
        raise Broken(bool(head or error.partial)) from None
    except OSError:
        raise Broken(bool(head)) from None


async def _read_body(reader: asyncio.StreamReader, message: Message) -> bytes:
    first = message.start[0]
    if first.startswith("HTTP/") and message.status in BODILESS:
        return b""
    if message.fields.get("transfer-encoding") == "chunked":
        return await _read_chunks(reader)
    return await reader.readexactly(int(message.fields.get("content-length", "0")))


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    pieces = []
    while True:
        line = await reader.readuntil(LINE)
        size = int(line, 16)
        pieces += [line, await reader.readexactly(size + 2)]
        if not size:
            return b"".join(pieces)
