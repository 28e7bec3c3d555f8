"""A line to each upstream: its connections, and the budget of its retries."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final
from uuid import UUID

import httpx

from shared.upstream.body import ACCEPTED
from shared.upstream.budget import RetryBudget

MOST_IDLE: Final = 256
AGENT: Final = "morrow"

LineKey = tuple[str, UUID | None, str, bool]
"""The breaker's name and owner, the origin, and whether it is trusted: nothing else shares it."""


@dataclass(slots=True)
class Line:
    client: httpx.AsyncClient
    budget: RetryBudget = field(default_factory=RetryBudget)
    calls: int = 0


class Lines:
    """Made when first used; those least recently used are closed when there are too many."""

    def __init__(self, make_transport: Callable[[bool], httpx.AsyncBaseTransport]) -> None:
        self._make_transport = make_transport
        self._lines: OrderedDict[LineKey, Line] = OrderedDict()

    @asynccontextmanager
    async def to(self, key: LineKey) -> AsyncIterator[Line]:
        """The line, which is not closed while it is used."""
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = Line(self._make_client(trusted=key[-1]))
        self._lines.move_to_end(key)
        line.calls += 1
        try:
            yield line
        finally:
            line.calls -= 1
            await self._close_idle()

    async def close(self) -> None:
        lines = list(self._lines.values())
        self._lines.clear()
        await asyncio.gather(*(line.client.aclose() for line in lines))

    def _make_client(self, *, trusted: bool) -> httpx.AsyncClient:
        """No redirects, cookies or proxies, and nothing of the environment: each would carry a
        tenant's credentials to where nobody looked."""
        return httpx.AsyncClient(
            transport=self._make_transport(trusted),
            headers={
                "User-Agent": AGENT,
                "Accept": "application/json",
                "Accept-Encoding": ACCEPTED,
            },
            follow_redirects=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            trust_env=False,
        )

    async def _close_idle(self) -> None:
        while len(self._lines) > MOST_IDLE:
            idle = next((key for key, line in self._lines.items() if not line.calls), None)
            if idle is None:
                return
            await self._lines.pop(idle).client.aclose()
