"""A client of the proxy: many connections, kept open, and no second try of anything."""

import asyncio
import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from tests.infrastructure.kubelet.wire import MOST_HEAD, Broken, Message, read_message

PATIENCE_SECONDS = 60.0
Wire = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class NoAnswer(Exception):
    """A request that nobody answered; the message says how."""


@dataclass(slots=True)
class Caller:
    """`name` is what the service is called by, from outside."""

    port: int
    name: str
    _idle: deque[Wire] = field(default_factory=deque)

    async def ask(
        self, method: str, path: str, key: str, body: object = None, **headers: str
    ) -> Message:
        """Raises NoAnswer."""
        content = b"" if body is None else json.dumps(body).encode()
        lines = {
            "Host": self.name,
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json",
            "Content-Length": str(len(content)),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        request = f"{method} /api/v1{path} HTTP/1.1\r\n{head}\r\n".encode() + content
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await self._exchange(request)
        except (OSError, Broken, TimeoutError) as error:
            raise NoAnswer(f"{type(error).__name__}: {error}") from error

    async def read(self, path: str, key: str, **headers: str) -> Any:
        answer = await self.ask("GET", path, key, **headers)
        if answer.status != 200:
            raise NoAnswer(f"{path}: {answer.status} {answer.content!r}")
        return json.loads(answer.content)

    def close(self) -> None:
        for _, writer in self._idle:
            writer.transport.abort()
        self._idle.clear()

    async def _exchange(self, request: bytes) -> Message:
        wire = self._idle.pop() if self._idle else await self._connect()
        try:
            wire[1].write(request)
            await wire[1].drain()
            answer = await read_message(wire[0])
            self._idle.append(wire)
            return answer
        finally:
            if wire not in self._idle:  # what is half read is of no use to others
                wire[1].transport.abort()

    async def _connect(self) -> Wire:
        return await asyncio.open_connection("127.0.0.1", self.port, limit=MOST_HEAD)
