"""JSON bodies are looked through before anything is made of them, or of what is wrong in them."""

from collections.abc import Iterator

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import BODY_TOO_LARGE, Problem, invalid, problem_response
from shared.request_bounds import SAFE
from shared.strict_json import StrictJsonError, require_plain


class JsonBounds:
    """ASGI middleware. Refuses JSON that names a key twice, is deep, or has so many members that to
    tell what is wrong with each would keep everybody else waiting. Stands within what bounds the
    size of bodies, for it keeps them whole."""

    def __init__(self, app: ASGIApp, elsewhere: frozenset[str] = frozenset()) -> None:
        """`elsewhere`: paths whose routes read their bodies themselves."""
        self.app = app
        self.elsewhere = elsewhere

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self.elsewhere or not _brings_json(scope):
            await self.app(scope, receive, send)
            return
        try:
            messages = await _whole(receive)
        except HTTPException as error:
            if error.status_code != BODY_TOO_LARGE.status:
                raise
            await problem_response(HTTPConnection(scope), BODY_TOO_LARGE)(scope, receive, send)
            return
        problem = _fault_of(b"".join(message.get("body", b"") for message in messages))
        if problem is not None:
            await problem_response(HTTPConnection(scope), problem)(scope, receive, send)
            return
        await self.app(scope, _again(iter(messages), receive), send)


def _brings_json(scope: Scope) -> bool:
    """What only reads has no body that anyone looks at."""
    if scope["method"] in SAFE:
        return False
    return "json" in Headers(scope=scope).get("content-type", "").lower()


async def _whole(receive: Receive) -> list[Message]:
    """All that comes, until the body ends or its client is gone."""
    messages = [await receive()]
    while messages[-1].get("more_body", False):
        messages.append(await receive())
    return messages


def _again(messages: Iterator[Message], receive: Receive) -> Receive:
    async def received_before() -> Message:
        for message in messages:
            return message
        return await receive()

    return received_before


def _fault_of(body: bytes) -> Problem | None:
    try:
        require_plain(body)
    except StrictJsonError as error:
        return invalid("body", error.code, str(error))
    except ValueError:  # no JSON, or none at all: the route knows whether it wants any
        return None
    return None
