"""What every request carries: an id, a log context, and a clock for the metrics."""

import re
import time
from uuid import uuid4

import structlog
from prometheus_client import Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ANSWERS = {"http.response.start", "websocket.http.response.start"}
SANE_ID = re.compile(r"[A-Za-z0-9._\-]{1,128}")
REQUEST_SECONDS = Histogram(
    "morrow_http_request_seconds",
    "Seconds from a request to the end of its answer",
    ["method", "route", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)


class RequestContext:
    """ASGI middleware. A sane `X-Request-ID` is kept, else one is made; it is always answered."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        request_id = _request_id(Headers(scope=scope).get("x-request-id"))
        scope["request_id"] = request_id
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            await self._answer(scope, receive, send, request_id)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        began = time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] in ANSWERS:
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        finally:
            if scope["type"] == "http":
                route = getattr(scope.get("route"), "path", "unmatched")
                seconds = time.perf_counter() - began
                REQUEST_SECONDS.labels(scope["method"], route, status or 500).observe(seconds)


def _request_id(sent: str | None) -> str:
    return sent if sent is not None and SANE_ID.fullmatch(sent) else uuid4().hex
