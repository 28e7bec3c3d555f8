"""The one client through which a process calls others.

A call ends in JSON or in an `UpstreamError`, by its deadline. What stands between: the upstream's
breaker, its budget of retries, its own connections, limits of time and size, and, where a tenant
gave the address, the wall around private ones.
"""

import asyncio
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from random import Random
from types import TracebackType
from typing import Final, Self

import httpx

from shared.breaker import Breaker, BreakerOpen, Breakers, Outcome, Permit
from shared.tracing import Kind, Span, span
from shared.upstream.address import host_and_port, parse_base_url, refusal_of
from shared.upstream.connection import (
    PinnedNetwork,
    PoolTransport,
    Refusal,
    Resolve,
    system_resolver,
)
from shared.upstream.errors import UpstreamError, UpstreamOpen, UpstreamTimeout
from shared.upstream.exchange import Request, exchange
from shared.upstream.lines import Line, LineKey, Lines
from shared.upstream.payload import Json
from shared.upstream.retries import MOST_ATTEMPTS, may_pass, outcome_of, pause_before
from shared.upstream.telemetry import CALL_SECONDS, CALLS, RETRIES
from shared.upstream.terms import CallTerms
from shared.upstream.upstream import Upstream

__all__ = ["CallTerms", "Json", "Upstream", "UpstreamClient"]

RESOLVERS: Final = 32  # a name server that hangs keeps one for as long as the system bears it


class UpstreamClient:
    """One a process, used as `async with`.

    `resolve` and `refusal` are those of the system and of `address.py` unless others are given.
    """

    def __init__(
        self,
        terms: CallTerms,
        breakers: Breakers,
        random: Random | None = None,
        resolve: Resolve | None = None,
        refusal: Refusal = refusal_of,
    ) -> None:
        self.breakers = breakers
        self._terms = terms
        self._random = random or Random()  # noqa: S311 - spreads retries, guards nothing
        self._resolvers = ThreadPoolExecutor(RESOLVERS, "morrow-resolve")
        self._networks = _networks(terms, resolve or system_resolver(self._resolvers), refusal)
        self._lines = Lines(self._make_transport)
        self._tls = httpx.create_ssl_context()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._lines.close()
        self._resolvers.shutdown(wait=False, cancel_futures=True)

    async def get(
        self,
        upstream: Upstream,
        path: str,
        params: Mapping[str, str],
        *,
        deadline: float | None = None,
    ) -> Json:
        """What `path` under the base address answers; `deadline` is of `time.monotonic()`.

        Repeated where that may help, at most twice. Raises `UpstreamError`.
        """
        url = _join(upstream, path)
        name, headers, trusted = host_and_port(url), upstream.headers, upstream.trusted
        request = Request("GET", name, url, headers, params, None, True, trusted)
        return await self._call(upstream, request, deadline)

    async def post(
        self,
        upstream: Upstream,
        path: str,
        body: Json,
        *,
        deadline: float | None = None,
        idempotent: bool,
    ) -> Json:
        """As `get`, for what is read by POST; repeated only where it is `idempotent`."""
        url = _join(upstream, path)
        name, headers, trusted = host_and_port(url), upstream.headers, upstream.trusted
        request = Request("POST", name, url, headers, {}, body, idempotent, trusted)
        return await self._call(upstream, request, deadline)

    async def _call(self, upstream: Upstream, request: Request, deadline: float | None) -> Json:
        ends_at = time.monotonic() + self._terms.total_seconds if deadline is None else deadline
        breaker = self.breakers.of(upstream.breaker, upstream.owner, request.name)
        permit = _admit(breaker, request, ends_at)
        async with self._lines.to(_key_of(upstream, request)) as line:
            line.budget.note_call()
            for attempt in range(1, MOST_ATTEMPTS + 1):
                try:
                    return await self._attempt(line, breaker, permit, request, ends_at)
                except UpstreamError as error:
                    await self._before_next(line, breaker, request, attempt, error, ends_at)
                    failed = error
                try:
                    permit = _admit(breaker, request, ends_at)
                except UpstreamError:
                    raise failed from None
        raise AssertionError("the last attempt returns or raises")

    async def _attempt(
        self, line: Line, breaker: Breaker, permit: Permit, request: Request, ends_at: float
    ) -> Json:
        """One attempt, of which the breaker is told whatever becomes of it."""
        outcome, code, said = Outcome.IGNORED, "cancelled", None
        began = time.monotonic()
        try:
            with _call_span(breaker, request):
                answer = await exchange(line.client, request, ends_at, self._terms)
            outcome, code = Outcome.SUCCEEDED, "succeeded"
            return answer
        except UpstreamError as error:
            outcome, code, said = outcome_of(error), error.code, error.brief
            raise
        finally:
            breaker.settle(permit, outcome, said)
            kind = breaker.name.partition(":")[0]
            CALLS.labels(kind, code).inc()
            CALL_SECONDS.labels(kind).observe(time.monotonic() - began)

    async def _before_next(
        self,
        line: Line,
        breaker: Breaker,
        request: Request,
        attempt: int,
        error: UpstreamError,
        ends_at: float,
    ) -> None:
        """Wait before the next attempt; raises `error` where none is to be made."""
        if attempt == MOST_ATTEMPTS or not request.idempotent or not may_pass(error):
            raise error
        terms = self._terms
        pause = pause_before(attempt, terms.pause_seconds, error.retry_after, self._random)
        if time.monotonic() + pause >= ends_at or breaker.refuses or not line.budget.take():
            raise error
        RETRIES.labels(breaker.name.partition(":")[0]).inc()
        await asyncio.sleep(pause)

    def _make_transport(self, trusted: bool) -> httpx.AsyncBaseTransport:
        return PoolTransport(self._tls, self._terms.connections, self._networks[trusted])


def _networks(terms: CallTerms, resolve: Resolve, refusal: Refusal) -> dict[bool, PinnedNetwork]:
    """By whether the upstream is trusted."""
    anywhere = PinnedNetwork(resolve, lambda address: None)
    return {
        True: anywhere,
        False: anywhere if terms.allow_private else PinnedNetwork(resolve, refusal),
    }


def _admit(breaker: Breaker, request: Request, ends_at: float) -> Permit:
    if time.monotonic() >= ends_at:
        raise UpstreamTimeout(request.name, "was not asked: no time was left")
    try:
        return breaker.admit()
    except BreakerOpen as error:
        last = f" after: {error.last_error}" if error.last_error else ""
        raise UpstreamOpen(
            request.name,
            f"is not asked: its circuit breaker is open for {error.retry_after:.0f} s more{last}",
            error.retry_after,
        ) from None


def _call_span(breaker: Breaker, request: Request) -> AbstractContextManager[Span]:
    """Where a tenant's own upstream is is not told, as it is not logged."""
    kind = breaker.name.partition(":")[0]
    told = {"http.request.method": request.method, "morrow.upstream.kind": kind}
    where = {"server.address": request.name} if request.trusted else {}
    return span(f"upstream {kind}", Kind.CLIENT, {**told, **where})


def _join(upstream: Upstream, path: str) -> httpx.URL:
    prefix = parse_base_url(upstream.base_url)
    return prefix.copy_with(path=f"{prefix.path.rstrip('/')}/{path.lstrip('/')}")


def _key_of(upstream: Upstream, request: Request) -> LineKey:
    origin = f"{request.url.scheme}://{request.name}"
    return (upstream.breaker, upstream.owner, origin, upstream.trusted)
