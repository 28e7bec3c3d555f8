"""The network, blocking or not, under one shape: all that is sent and waited for goes through here.

Everything above is written once, as coroutines. Those over `BlockingWire` never wait for a loop, so
that `run` can take them from start to end in any thread.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar

import httpx

T = TypeVar("T")
Opened = tuple[httpx.Response, AsyncIterator[bytes]]


class Wire(Protocol):
    """One HTTP client, and what else takes time."""

    @property
    def http(self) -> httpx.Client | httpx.AsyncClient: ...

    def body(self, chunks: Iterator[bytes]) -> Iterator[bytes] | AsyncIterator[bytes]:
        """A body as this client takes it."""

    async def send(self, request: httpx.Request) -> httpx.Response:
        """The answer, wholly read."""

    def opened(self, request: httpx.Request) -> AbstractAsyncContextManager[Opened]:
        """The answer and its bytes as they come."""

    async def pause(self, seconds: float) -> None: ...

    async def aside(self, work: Callable[[], T]) -> T:
        """What `work` gives, while a loop, if there is one, goes on."""

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class BlockingWire:
    """For callers that wait."""

    http: httpx.Client

    def body(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        return chunks

    async def send(self, request: httpx.Request) -> httpx.Response:
        return self.http.send(request)

    @asynccontextmanager
    async def opened(self, request: httpx.Request) -> AsyncIterator[Opened]:
        answer = self.http.send(request, stream=True)
        try:
            yield answer, _stepped(answer.iter_bytes())
        finally:
            answer.close()

    async def pause(self, seconds: float) -> None:
        time.sleep(seconds)  # noqa: ASYNC251 - no loop is here

    async def aside(self, work: Callable[[], T]) -> T:
        return work()

    async def close(self) -> None:
        self.http.close()


@dataclass(frozen=True, slots=True)
class LoopWire:
    """For callers in an asyncio loop."""

    http: httpx.AsyncClient

    def body(self, chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
        return _stepped(chunks)

    async def send(self, request: httpx.Request) -> httpx.Response:
        return await self.http.send(request)

    @asynccontextmanager
    async def opened(self, request: httpx.Request) -> AsyncIterator[Opened]:
        answer = await self.http.send(request, stream=True)
        try:
            yield answer, answer.aiter_bytes()
        finally:
            await answer.aclose()

    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def aside(self, work: Callable[[], T]) -> T:
        return await asyncio.to_thread(work)

    async def close(self) -> None:
        await self.http.aclose()


async def _stepped(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def run(work: Coroutine[object, None, T]) -> T:
    """What a coroutine over `BlockingWire` returns or raises."""
    try:
        work.send(None)
    except StopIteration as ended:
        result: T = ended.value
        return result
    work.close()
    raise RuntimeError("it waits for a loop, and there is none")
