"""WebSockets as the server speaks them: with an answer to a handshake that cannot be read, frames
that are written as they are, and connections that do not outlive their clients."""

import socket
from asyncio.transports import BaseTransport
from functools import partial
from typing import Any, Final

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import OPEN

from shared.abortable import ABORT, cut

FRAMES: Final = "morrow.frames"
"""The extension of `websocket.send` by which frames are sent that were made before, in place of
`text`: whole ones, for many clients at once. Its `write` takes some without being awaited."""
UNSENT_BYTES: Final = 64 * 1024
"""What the kernel keeps for one who does not read, about; else megabytes."""
UNWRITTEN_BYTES: Final = 32 * 1024
"""What is kept here for one whom the kernel keeps that much for, before they are waited for."""
LINGER_SECONDS: Final = 1.0
SAYS_MORE: Final = {"websocket.send", "websocket.close"}


class AnsweringWebSocket(WebSocketsSansIOProtocol):
    """The server's own says nothing to a handshake whose lines are too long or too many, and keeps
    the connection for as long as its client likes; and to one who answers no pings it says goodbye,
    and waits until they have heard."""

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(UNWRITTEN_BYTES)
        transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDBUF, UNSENT_BYTES
        )

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self.transport.write(
                b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
                b"Connection: close\r\nContent-Length: 0\r\n\r\n"
            )
            self.transport.close()

    async def run_asgi(self) -> None:
        self.scope["extensions"] |= {
            FRAMES: {"write": self.write_now},
            ABORT: {"call": partial(cut, self.transport)},
        }
        await super().run_asgi()

    async def send(self, message: Any) -> None:
        if self.close_sent and message["type"] in SAYS_MORE:
            raise ClientDisconnected  # the server's own takes it for a mistake of the application
        if FRAMES not in message:
            await super().send(message)
            if self.close_sent and self.initial_response is not None:
                self.handshake_complete = True  # with an answer; else it is logged as an error
            return
        await self.writable.wait()
        if self.disconnected or self.conn.state is not OPEN:
            raise ClientDisconnected
        self.transport.write(message[FRAMES])

    def write_now(self, frames: bytes) -> bool:
        """Write whole frames, unless something waits to be written before them, or the connection
        is not open any more; whether it did."""
        if self.disconnected or self.conn.state is not OPEN:
            return False
        if self.transport.is_closing() or self.transport.get_write_buffer_size():
            return False
        self.transport.write(frames)
        return True

    def shutdown(self) -> None:
        if self.handshake_initiated and not self.handshake_complete:
            return  # it is answered yet; the server's own would say 500, and then fail to
        super().shutdown()

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.loop.call_later(LINGER_SECONDS, cut, self.transport)
