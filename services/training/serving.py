"""The server of the API process: what it speaks, and how it leaves."""

import asyncio
import math
import socket
from typing import Final

import uvicorn
from fastapi import FastAPI

from services.training.settings import Settings
from services.training.streams.hub import LEAVE_SECONDS
from shared.abortable import AbortableHttp
from shared.tracing import send_rest
from shared.tracing.environment import FLUSH_SECONDS
from shared.websocket_protocol import AnsweringWebSocket

ANSWER_SECONDS: Final = 1
"""For the answer to a request that has had all its time."""
KEPT_SECONDS: Final = 75
"""An idle connection. Proxies keep theirs for 60 s, and whoever keeps one for longer ends it: a
request that is on its way while we do is lost, unless it may be repeated."""
PING_SECONDS: Final = 20.0
MOST_SAID_BYTES: Final = 2**20
"""In one message of a client, which is passed over."""


class Server(uvicorn.Server):
    """Its streams end before its other connections, told why; the server's own would cut off
    WebSockets without a word, and wait for the others until its time is up."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listening in self.servers:
            listening.close()
        await self._app.state.hub.leave()
        await super().shutdown(sockets)
        await asyncio.to_thread(send_rest)  # the signal that ends us is raised again after this


def answering_seconds(settings: Settings) -> int:
    """What requests that are under way are given when this process is told to end: all that they
    may take."""
    return math.ceil(settings.request_seconds) + ANSWER_SECONDS


def leaving_seconds(settings: Settings) -> float:
    """The longest that this process takes to end."""
    return LEAVE_SECONDS + answering_seconds(settings) + FLUSH_SECONDS


def server_of(app: FastAPI, settings: Settings, host: str, port: int) -> Server:
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=AbortableHttp,
        ws=AnsweringWebSocket,
        ws_per_message_deflate=False,  # it would cost each client more memory than all else
        ws_max_size=MOST_SAID_BYTES,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
        log_config=None,
        timeout_keep_alive=KEPT_SECONDS,
        timeout_graceful_shutdown=answering_seconds(settings),
        server_header=False,
    )
    return Server(config, app)
