"""An upstream on a real socket that answers what a test tells it to, byte by byte if need be."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from shared.breaker import Breakers, BreakerTerms
from shared.upstream.client import CallTerms, Upstream

OWNER = UUID("5b0c2f0a-7d5e-4f6e-9a51-0c8d5d9a7e10")
SECRET = "sesame-open-the-oven"
TERMS = CallTerms(allow_private=True, total_seconds=20, pause_seconds=0.02)


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """`body` is sent as it is; `pause` seconds pass before it."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    pause: float = 0.0

    def head(self) -> bytes:
        headers = {"Content-Length": str(len(self.body)), **self.headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"HTTP/1.1 {self.status} Whatever\r\n{lines}\r\n".encode()


def good(value: object = None) -> Answer:
    return Answer(body=json.dumps(value).encode())


@dataclass
class MadeUpstream:
    """`answer` is asked with every request, which are all kept."""

    answer: Callable[[Asked], Answer]
    asked: list[Asked] = field(default_factory=list)
    port: int = 0
    _serving: set["asyncio.Task[None] | None"] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def as_upstream(self, breaker: str = "weather:here", url: str | None = None) -> Upstream:
        """Itself, or what leads to it, as a tenant would have given it."""
        headers = {"Authorization": f"Bearer {SECRET}"}
        return Upstream(breaker, url or self.url, False, headers, OWNER)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._serving.add(current := asyncio.current_task())
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while asked := await _read(reader):
                self.asked.append(asked)
                answer = self.answer(asked)
                await asyncio.sleep(answer.pause)
                writer.write(answer.head() + answer.body)
                await writer.drain()
                if answer.headers.get("Connection") == "close":
                    break
        self._serving.discard(current)
        writer.close()

    async def hang_up(self) -> None:
        """End every connection, whatever still waits for its answer."""
        serving = [task for task in self._serving if task is not None]
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving)


async def _read(reader: asyncio.StreamReader) -> Asked | None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ")
    headers = {
        name.lower(): value
        for name, _, value in (line.partition(": ") for line in head[1:] if line)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    url = urlsplit(target)
    return Asked(method, url.path, dict(parse_qsl(url.query)), headers, body)


@asynccontextmanager
async def made_upstream(
    answer: Callable[[Asked], Answer],
    host: str = "127.0.0.1",
    port: int = 0,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[MadeUpstream]:
    made = MadeUpstream(answer)
    server = await asyncio.start_server(made.serve, host, port, ssl=tls)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await made.hang_up()


def patient_breakers() -> Breakers:
    """That no test of anything else opens."""
    return Breakers({"weather": BreakerTerms(10_000, 30, least_calls=10_000, window_calls=10_000)})
