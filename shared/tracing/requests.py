"""A span for each request: from its beginning to the end of its answer."""

from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.tracing.spans import Kind, Span, listens, span

PROBES: Final = "/health"
STREAM: Final = "text/event-stream"
ANSWERS: Final = {
    "http.response.start": None,
    "websocket.http.response.start": None,
    "websocket.accept": 101,
}


class TracedRequests:
    """ASGI middleware, within `RequestContext`. A WebSocket's span, and that of a stream of events,
    is its handshake: what follows lasts for hours. A `traceparent` that comes with a request is
    linked to: whoever sends it decides neither which trace this is nor whether it is kept. Probes
    have no span. Routes are told without their `prefix`."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self.app = app
        self.prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = scope["type"] in {"http", "websocket"}
        if not (asked and listens()) or scope["path"].startswith(PROBES):
            await self.app(scope, receive, send)
            return
        method = scope.get("method", "GET")
        sent = Headers(scope=scope).get("traceparent")
        attributes = {"http.request.method": method, "morrow.request_id": scope["request_id"]}
        with span(method, Kind.SERVER, attributes, beside=sent) as told:
            await self._answer(scope, receive, send, told)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, told: Span) -> None:
        async def send_noted(message: Message) -> None:
            if message["type"] in ANSWERS:
                self._note_answer(scope, message, told)
            await send(message)

        try:
            await self.app(scope, receive, send_noted)
        finally:
            self._note_route(scope, told)

    def _note_answer(self, scope: Scope, message: Message, told: Span) -> None:
        self._note_route(scope, told)
        told.note({"http.response.status_code": ANSWERS[message["type"]] or message["status"]})
        streamed = (
            Headers(raw=message.get("headers", [])).get("content-type", "").startswith(STREAM)
        )
        if streamed or message["type"] == "websocket.accept":
            told.end()

    def _note_route(self, scope: Scope, told: Span) -> None:
        route = getattr(scope.get("route"), "path", "unmatched").removeprefix(self.prefix)
        told.call(f"{scope.get('method', 'GET')} {route}")
        told.note({"http.route": route})
