"""The keys of the token issuer, as of a short while ago.

They are asked for again when they are no longer fresh, and when a token names one that is not among
them, which is how a new key is found: but never more often than every `PAUSE_SECONDS`, whatever is
named, and by one call at a time, whoever waits for it. While the issuer does not answer they hold
on, for a bounded time.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

import structlog

from services.training.identity.key_set import KeySet, NoKeySet, PublicKey
from shared.errors import Problem
from shared.upstream.errors import UpstreamError

PAUSE_SECONDS: Final = 5.0

log = structlog.get_logger()


@dataclass(slots=True)
class Issuer:
    """`ask` fetches the keys; they are fresh for `fresh_seconds`, and held on to for
    `stale_seconds` at most, both since they were asked for."""

    ask: Callable[[], Awaitable[KeySet]]
    fresh_seconds: float
    stale_seconds: float
    clock: Callable[[], float] = time.monotonic
    _keys: KeySet | None = None
    _keys_of: float = 0.0
    _asked_at: float | None = None
    _failed: bool = False
    _asking: "asyncio.Task[None] | None" = field(default=None, repr=False)

    async def find(self, kid: str | None, algorithm: str) -> PublicKey | None:
        """The key of that id; None where the issuer has none; 503 where it cannot be asked."""
        if self._age() > self.fresh_seconds:
            await self._ask_if_due()
        found = self._held().find(kid, algorithm)
        if found is None:
            await self._ask_if_due()
            found = self._held().find(kid, algorithm)
            if found is None and self._failed:
                raise issuer_unavailable()
        return found

    async def close(self) -> None:
        if self._asking is not None:
            self._asking.cancel()

    def _age(self) -> float:
        return float("inf") if self._keys is None else self.clock() - self._keys_of

    def _held(self) -> KeySet:
        if self._keys is None or self._age() > self.stale_seconds:
            raise issuer_unavailable()
        return self._keys

    async def _ask_if_due(self) -> None:
        """Shielded: whoever goes away while they wait takes nobody else's answer with them."""
        if self._asking is None:
            if self._asked_at is not None and self.clock() - self._asked_at < PAUSE_SECONDS:
                return
            self._asked_at = self.clock()
            self._asking = asyncio.create_task(self._fetch(self._asked_at))
        await asyncio.shield(self._asking)

    async def _fetch(self, began: float) -> None:
        try:
            self._keys, self._keys_of, self._failed = await self.ask(), began, False
        except (UpstreamError, NoKeySet) as error:
            self._failed = True
            log.warning("issuer_unavailable", error=str(error), code=type(error).__name__)
        finally:
            self._asking = None


def issuer_unavailable() -> Problem:
    return Problem(
        503,
        "issuer_unavailable",
        "the issuer of tokens does not answer: try again in a few seconds",
        headers={"Retry-After": "5"},
    )
