"""One request and its answer, by a deadline and within a size."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

import httpx

from shared.tracing import header
from shared.upstream.body import TooLarge, Undecodable, read_body
from shared.upstream.errors import (
    UpstreamError,
    UpstreamForbidden,
    UpstreamRedirect,
    UpstreamStatus,
)
from shared.upstream.failures import FAILURES, as_upstream_error
from shared.upstream.payload import Json, parse_json
from shared.upstream.reason import MOST_READ, reason_in, secrets_of
from shared.upstream.retries import seconds_asked_for
from shared.upstream.terms import CallTerms


@dataclass(frozen=True, slots=True)
class Request:
    """`name`: the upstream's `host:port`. One that is `trusted` is told which trace it is in."""

    method: Literal["GET", "POST"]
    name: str
    url: httpx.URL = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    params: Mapping[str, str] = field(repr=False)
    body: Json = field(repr=False)
    idempotent: bool
    trusted: bool


async def exchange(
    client: httpx.AsyncClient, request: Request, ends_at: float, terms: CallTerms
) -> Json:
    """The JSON of a success; else an `UpstreamError`, at `ends_at` (`time.monotonic()`) the latest.

    `httpx` limits each read, so an answer that trickles would never end by itself.
    """
    left = ends_at - time.monotonic()
    try:
        async with asyncio.timeout(left):
            return await _ask(client, request, left, terms)
    except UpstreamError:
        raise
    except FAILURES as error:
        raise as_upstream_error(request.name, error, terms) from None


async def _ask(client: httpx.AsyncClient, request: Request, left: float, terms: CallTerms) -> Json:
    async with client.stream(
        request.method,
        request.url,
        params=request.params or None,
        json=request.body if request.method == "POST" else None,
        headers=_sendable(request),
        timeout=_cut(terms, left),
    ) as response:
        if response.is_success:
            return parse_json(await read_body(response, terms.most_bytes))
        if 300 <= response.status_code < 400:
            raise UpstreamRedirect(
                request.name,
                f"answered {response.status_code}, which is not followed: "
                "give the address that it leads to",
            )
        raise await _refused(request, response)


async def _refused(request: Request, response: httpx.Response) -> UpstreamStatus:
    try:
        body = await read_body(response, MOST_READ)
    except (TooLarge, Undecodable):
        body = b""
    return UpstreamStatus(
        request.name,
        response.status_code,
        reason_in(body, secrets_of(request.headers, request.params)),
        seconds_asked_for(response.headers.get("retry-after"), datetime.now(UTC)),
    )


def _sendable(request: Request) -> dict[str, str]:
    """The headers, checked here: what refuses them further down quotes them."""
    for name, value in request.headers.items():
        if not (value.isascii() and value.isprintable()):
            raise UpstreamForbidden(
                request.name, f"was not asked: the header {name!r} holds what no header may"
            )
    trace = header() if request.trusted else None
    return dict(request.headers) | ({} if trace is None else {"traceparent": trace})


def _cut(terms: CallTerms, left: float) -> httpx.Timeout:
    return httpx.Timeout(
        connect=min(terms.connect_seconds, left),
        read=min(terms.read_seconds, left),
        write=min(terms.write_seconds, left),
        pool=min(terms.pool_seconds, left),
    )
