"""A request as it reaches the app, and all that comes back: over HTTP or as a WebSocket.

Spoken to the app itself: with a client between, the matrix would take twice its time.
"""

import asyncio
import contextlib
import gzip
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any
from urllib.parse import quote, urlencode

import pyarrow.parquet as pq
from fastapi import FastAPI

from tests.security.row import Request

OPENED = 101
STARTS = {"http.response.start", "websocket.http.response.start"}


@dataclass(frozen=True)
class Seen:
    """An answer, or the frames of a socket."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> bytes:
        """All of it that can be read."""
        head = "".join(f"{name}: {value}\n" for name, value in self.headers.items())
        return head.encode() + self.body + b"\n" + unpacked(self.body)


def unpacked(body: bytes) -> bytes:
    """What a packed body holds, nothing of one that is not packed."""
    if body.startswith(b"\x1f\x8b"):
        return gzip.decompress(body)
    if body.startswith(b"PAR1"):
        return json.dumps(pq.read_table(io.BytesIO(body)).to_pylist(), default=str).encode()
    return b""


@dataclass
class Client:
    """The other end of one connection: says what it has to say, then listens."""

    says: list[dict[str, Any]]
    heard: list[Any] = field(default_factory=list)

    async def receive(self) -> dict[str, Any]:
        if not self.says:
            await asyncio.Future()
        return self.says.pop(0)

    async def send(self, message: Any) -> None:
        self.heard.append(message)

    def seen(self) -> Seen:
        starts = [each for each in self.heard if each["type"] in STARTS]
        opened = any(each["type"] == "websocket.accept" for each in self.heard)
        fields = [pair for each in self.heard for pair in each.get("headers") or ()]
        said = [
            each.get("body") or (each.get("text") or each.get("reason") or "").encode()
            for each in self.heard
        ]
        return Seen(
            status=starts[0]["status"] if starts else OPENED * opened,
            headers={name.decode().lower(): value.decode() for name, value in fields},
            body=b"".join(said),
        )


async def call(
    app: FastAPI, request: Request, artifact: bytes, authorization: str, number: int
) -> Seen:
    """The `number` is the caller's address: of one address not so many bad keys are taken."""
    headers = dict(request.headers)
    if authorization:
        headers["authorization"] = authorization
    content = request.bytes_of(artifact)
    if content is not None:
        headers |= {"content-type": request.row.media_type, "content-length": str(len(content))}
    socket = request.row.method == "WS"
    first = {"type": "websocket.connect"} if socket else {"type": "http.request"}
    client = Client([first | {"body": content or b"", "more_body": False}])
    scope = {
        **_address(request, headers),
        "type": "websocket" if socket else "http",
        "method": request.row.method,
        "subprotocols": [],
        "extensions": {"websocket.http.response": {}},
        "client": (str(IPv4Address(0x0A000000 + number)), 1),
    }
    with contextlib.suppress(Exception):  # the app raises what it has answered with 500
        await app(scope, client.receive, client.send)
    return client.seen()


def _address(request: Request, headers: Mapping[str, str]) -> dict[str, Any]:
    return {
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "http",
        "path": request.path_text,
        "raw_path": quote(request.path_text).encode(),
        "root_path": "",
        "query_string": urlencode(dict(request.query)).encode(),
        "headers": [
            (b"host", b"morrow"),
            *((name.lower().encode(), value.encode()) for name, value in headers.items()),
        ],
        "server": ("morrow", 80),
        "state": {},
    }
