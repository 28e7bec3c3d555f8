"""WebSockets as the server speaks them, with an answer to a handshake that cannot be read."""

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol


class AnsweringWebSocket(WebSocketsSansIOProtocol):
    """The server's own says nothing to a handshake whose lines are too long or too many, and keeps
    the connection for as long as its client likes."""

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self.transport.write(
                b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
                b"Connection: close\r\nContent-Length: 0\r\n\r\n"
            )
            self.transport.close()
