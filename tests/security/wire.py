"""Requests as raw as a server would hand them on: nothing is tidied up on the way."""

import asyncio
import contextlib
import json
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

from fastapi import FastAPI

Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Raw:
    """One request. `path` and `query` are percent-encoded; `body` comes in one piece."""

    method: str
    path: bytes
    query: bytes = b""
    headers: Headers = ()
    body: bytes = b""

    def having(self, *headers: tuple[str | bytes, str | bytes]) -> "Raw":
        """The same request with these headers in place of those of their names."""
        added = tuple((as_bytes(name).lower(), as_bytes(value)) for name, value in headers)
        names = {name for name, _ in added}
        return replace(self, headers=(*(h for h in self.headers if h[0] not in names), *added))


@dataclass(slots=True)
class Answer:
    """What came back, whole."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)

    def json(self) -> Any:
        """The body, which has to be JSON as everybody reads it: UTF-8, no NaN, nothing twice."""
        return json.loads(self.body.decode(), parse_constant=_refuse_constant)


def as_bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


async def ask(app: FastAPI, raw: Raw) -> Answer:
    """The answer of the application, which may not raise."""
    answer = Answer()
    sent = iter([{"type": "http.request", "body": raw.body, "more_body": False}])

    async def receive() -> dict[str, Any]:
        for message in sent:
            return message
        await asyncio.Event().wait()  # the client stays: it is cancelled with what waits for it
        raise AssertionError("nobody sets the event")

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {
                name.decode("latin-1"): value.decode("latin-1")
                for name, value in message.get("headers", [])
            }
        elif message["type"] == "http.response.body":
            answer.body += message.get("body", b"")

    # A failure is answered with a 500, and raised again for the server's log.
    with contextlib.suppress(Exception):
        await app(scope_of(raw), receive, send)  # type: ignore[arg-type]
    return answer


def scope_of(raw: Raw) -> dict[str, Any]:
    """As a server makes it: the path is decoded, and what is no UTF-8 in it is replaced."""
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": raw.method,
        "scheme": "http",
        "path": unquote(raw.path.decode("latin-1")),
        "raw_path": raw.path,
        "query_string": raw.query,
        "root_path": "",
        "headers": [(b"host", b"morrow"), *raw.headers],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 80),
        "state": {},
    }
