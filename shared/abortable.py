"""Connections that whoever answers on them may cut.

To close one is to wait until its client has taken all that was written, which may be for ever.
"""

from typing import Final

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

ABORT: Final = "morrow.abort"


class AbortableHttp(HttpToolsProtocol):
    """The server's own HTTP, each of whose requests may be cut off."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {ABORT: {"call": self.transport.abort}}


def abort(scope: Scope) -> None:
    """Cut the connection at once, and forget what was written and not taken."""
    extension = scope.get("extensions", {}).get(ABORT)
    if extension is not None:
        extension["call"]()
