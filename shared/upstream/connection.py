"""Connections to an address that was looked at: a name is resolved once for each, and what it
resolved to is what is connected to. A name that resolves to something else a moment later gains
nothing. Host header and TLS still speak of the name."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from concurrent.futures import Executor
from functools import partial
from ipaddress import ip_address
from ssl import SSLContext
from typing import Final

import httpcore
import httpx

from shared.upstream.address import Address
from shared.upstream.errors import UpstreamForbidden

Resolve = Callable[[str, int], Awaitable[Sequence[Address]]]
Refusal = Callable[[Address], str | None]
SocketOption = (
    tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]
)
MOST_TRIED: Final = 4
KEPT_ALIVE_SECONDS: Final = 4.0
"""Less than common servers keep an idle connection, so that none is used that is just closed."""


def system_resolver(executor: Executor) -> Resolve:
    """Asks the system, in threads of `executor`: a slow name server takes no one else's."""

    async def resolve(host: str, port: int) -> Sequence[Address]:
        ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(executor, ask)
        return list(dict.fromkeys(ip_address(entry[4][0]) for entry in found))

    return resolve


class PinnedNetwork(httpcore.AsyncNetworkBackend):
    """Connects only where `refusal` has nothing to say, and only to what was resolved then."""

    def __init__(self, resolve: Resolve, refusal: Refusal) -> None:
        self._resolve = resolve
        self._refusal = refusal
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature of httpcore
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        loop = asyncio.get_running_loop()
        ends_at = None if timeout is None else loop.time() + timeout
        addresses = await self._resolved(host, port, timeout)
        for number, address in enumerate(addresses):
            left = None if ends_at is None else max(0.0, ends_at - loop.time())
            share = None if left is None else left / (len(addresses) - number)
            try:
                return await self._network.connect_tcp(
                    str(address), port, share, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if number + 1 == len(addresses):
                    raise
        raise httpcore.ConnectError("the name resolves to nothing")

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)

    async def _resolved(self, host: str, port: int, seconds: float | None) -> Sequence[Address]:
        try:
            async with asyncio.timeout(seconds):
                addresses = await self._resolve(host, port)
        except TimeoutError:
            raise httpcore.ConnectTimeout("the name was not resolved in time") from None
        except (OSError, UnicodeError):
            raise httpcore.ConnectError("the name cannot be resolved") from None
        for address in addresses:
            reason = self._refusal(address)
            if reason is not None:
                raise UpstreamForbidden(
                    f"{host}:{port}",
                    f"leads to {address}, {reason}: give one that is reachable from everywhere",
                )
        return addresses[:MOST_TRIED]


class PoolTransport(httpx.AsyncBaseTransport):
    """`httpcore`'s pool on a network of ours, which `httpx`'s own transport has no way to take.

    Errors are `httpcore`'s.
    """

    def __init__(self, ssl_context: SSLContext, connections: int, network: PinnedNetwork) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl_context,
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=KEPT_ALIVE_SECONDS,
            network_backend=network,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.AsyncByteStream)
        answer = await self._pool.handle_async_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.url.raw_path,
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer))

    async def aclose(self) -> None:
        await self._pool.aclose()


class _Body(httpx.AsyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._answer.aiter_stream():
            yield piece

    async def aclose(self) -> None:
        await self._answer.aclose()
