"""A real HTTP server on loopback that answers what a test scripts, and keeps what it was asked."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

Answer = tuple[int, bytes] | tuple[int, bytes, dict[str, str]]


@dataclass
class Asked:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Stand:
    """The server: `answer` says what each request gets."""

    url: str
    answer: Callable[[Asked], Answer | Awaitable[Answer]]
    asked: list[Asked] = field(default_factory=list)

    def paths(self) -> list[str]:
        return [each.path for each in self.asked]


def said(body: object, status: int = 200, **headers: str) -> Answer:
    return status, json.dumps(body).encode(), headers


def not_found(_: Asked) -> Answer:
    return said({"error": "nobody scripted this"}, 404)


@asynccontextmanager
async def stand(
    answer: Callable[[Asked], Answer | Awaitable[Answer]] = not_found,
) -> AsyncIterator[Stand]:
    """A server that answers as told until the end."""
    made = Stand("", answer)

    open_writers: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_writers.add(writer)
        try:
            while (asked := await _read(reader)) is not None:
                made.asked.append(asked)
                told = made.answer(asked)
                status, body, *more = await told if isinstance(told, Awaitable) else told
                headers = {"Content-Type": "application/json"} | (more[0] if more else {})
                lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
                head = f"HTTP/1.1 {status} Said\r\nContent-Length: {len(body)}\r\n{lines}\r\n"
                writer.write(head.encode() + body)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            open_writers.discard(writer)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    made.url = f"http://{host}:{port}"
    async with server:
        yield made
        for writer in open_writers:
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Asked | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.split("\r\n")
    method, target, _ = first.split(" ")
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines if line)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    parts = urlsplit(target)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    return Asked(method, parts.path, query, headers, body)
