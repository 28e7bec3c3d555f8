"""The names under which the service may be called; a page elsewhere whose name was led here by DNS
calls it by another."""

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.errors import Problem, problem_response

PROBES = "/health"
"""Orchestrators ask by address."""

NOT_ALLOWED = Problem(
    421, "host_not_allowed", "the service is not called by this name: see MORROW_ALLOWED_HOSTS"
)


class AllowedHosts:
    """ASGI middleware. Without `hosts` every name is allowed; `*.example.com` is any below it."""

    def __init__(self, app: ASGIApp, hosts: Sequence[str]) -> None:
        self.app = app
        self.hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"} or self._allows(scope):
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await problem_response(HTTPConnection(scope), NOT_ALLOWED)(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    def _allows(self, scope: Scope) -> bool:
        if not self.hosts or scope["path"].startswith(PROBES):
            return True
        named = [name_in(value) for value in Headers(scope=scope).getlist("host")]
        return len(named) == 1 and not self.hosts.isdisjoint({named[0], _any_beside(named[0])})


def name_in(host: str) -> str:
    """The name in a `Host` header, without the port."""
    name, closing, _ = host.lower().partition("]")
    return name + closing if closing else name.partition(":")[0]


def _any_beside(name: str) -> str:
    return f"*.{name.partition('.')[2]}"
