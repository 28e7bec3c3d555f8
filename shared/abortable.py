"""Connections that whoever answers on them may cut.

To close one is to wait until its client has taken all that was written, which may be for ever.
"""

import socket
import struct
from asyncio.transports import WriteTransport
from functools import partial
from typing import Final

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

ABORT: Final = "morrow.abort"
AT_ONCE: Final = struct.pack("ii", 1, 0)


def cut(transport: WriteTransport) -> None:
    """Reset the connection: neither we nor the kernel keep what was written and not taken."""
    if not transport.is_closing() or transport.get_write_buffer_size():
        end = transport.get_extra_info("socket")
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        transport.abort()


class AbortableHttp(HttpToolsProtocol):
    """The server's own HTTP, each of whose requests may be cut off."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {ABORT: {"call": partial(cut, self.transport)}}


def abort(scope: Scope) -> None:
    """Cut the connection that a request or handshake came by, where the server lets us."""
    extension = scope.get("extensions", {}).get(ABORT)
    if extension is not None:
        extension["call"]()
