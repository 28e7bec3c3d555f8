"""The server of the API process: what it speaks, and how it leaves."""

import socket
from typing import Final

import uvicorn
from fastapi import FastAPI

from shared.abortable import AbortableHttp
from shared.websocket_protocol import AnsweringWebSocket

GRACEFUL_SHUTDOWN_SECONDS: Final = 10
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


def server_of(app: FastAPI, host: str, port: int) -> Server:
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
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_SECONDS,
        server_header=False,
    )
    return Server(config, app)
