"""What every request keeps to, whatever it asks for: its size, and its time."""

import asyncio
import contextlib
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.deadline import within
from shared.errors import BODY_TOO_LARGE, Problem, problem_response

MOST_BODY_BYTES: Final = 2**20
MOST_HEADER_BYTES: Final = 32 * 1024
MOST_QUERY_BYTES: Final = 16 * 1024
MOST_QUERY_VALUES: Final = 200
SAFE: Final = {"GET", "HEAD"}


class RequestBounds:
    """ASGI middleware. Refuses what is too long before anything looks at it. Gives the rest
    `seconds` of the database's time, and stops what only reads when its client has gone away; what
    writes goes on to its end, which its client may learn by asking again."""

    def __init__(self, app: ASGIApp, seconds: float, larger: frozenset[str] = frozenset()) -> None:
        """`larger`: paths whose routes bound their bodies themselves."""
        self.app = app
        self.seconds = seconds
        self.larger = larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        bounded = scope["path"] not in self.larger
        problem = _excess(scope, body=bounded)
        if problem is not None:
            await problem_response(HTTPConnection(scope), problem)(scope, receive, send)
            return
        with within(self.seconds) as deadline:
            received = 0

            async def receive_and_renew() -> Message:
                nonlocal received
                message = await receive()
                deadline.renew()
                received += len(message.get("body", b""))
                if bounded and received > MOST_BODY_BYTES:
                    raise HTTPException(413)  # which the framework passes on, unlike others
                return message

            async def send_and_renew(message: Message) -> None:
                await send(message)
                deadline.renew()

            if scope["method"] in SAFE:
                await _until_gone(self.app, scope, receive, send_and_renew)
            else:
                await self.app(scope, receive_and_renew, send_and_renew)


async def _until_gone(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer, unless the client goes away: then all that is done for it is cancelled."""
    first = await receive()
    gone = asyncio.create_task(_gone(first, receive))
    unread = [first]

    async def receive_again() -> Message:
        return unread.pop() if unread else await asyncio.shield(gone)

    answering = asyncio.ensure_future(app(scope, receive_again, send))
    try:
        await asyncio.wait({answering, gone}, return_when=asyncio.FIRST_COMPLETED)
        if answering.done():
            await answering
    finally:
        for task in (answering, gone):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await answering


async def _gone(message: Message, receive: Receive) -> Message:
    """What a reading request sends is passed over."""
    while message["type"] != "http.disconnect":
        message = await receive()
    return message


def _excess(scope: Scope, *, body: bool) -> Problem | None:
    headers = sum(len(name) + len(value) for name, value in scope["headers"])
    query = scope.get("query_string", b"")
    announced = Headers(scope=scope).get("content-length", "")
    if body and announced.isdecimal() and int(announced[:20]) > MOST_BODY_BYTES:
        return BODY_TOO_LARGE
    if headers > MOST_HEADER_BYTES:
        return Problem(431, "headers_too_large", f"headers have at most {MOST_HEADER_BYTES} bytes")
    if len(query) + len(scope.get("raw_path") or b"") > MOST_QUERY_BYTES:
        return Problem(414, "uri_too_long", f"path and query have at most {MOST_QUERY_BYTES} bytes")
    if query.count(b"&") >= MOST_QUERY_VALUES:
        return Problem(414, "too_many_values", f"a query has at most {MOST_QUERY_VALUES} values")
    return None
