"""A call sent, and sent again where that is safe; what every operation is made of."""

import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Final, TypeVar, cast
from uuid import uuid4

import httpx

from morrow.call import Again, Call, Content, Pages
from morrow.errors import MorrowError, Unreachable, not_morrow, refusal
from morrow.retries import Random, Retries
from morrow.wire import Wire

T = TypeVar("T")
Sent = Callable[[int], None]
"""Told of each piece of a body as it is sent, in bytes."""

SILENCE: Final = 60.0
"""No stream is silent for so many seconds: the service says now and then that it is still there."""
NOT_TAKEN: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
KEY: Final = "Idempotency-Key"
KEPT: Final = ("content-type", "retry-after")


@dataclass(frozen=True, slots=True)
class Link:
    """One server under one key. Whatever goes wrong is raised as a `MorrowError`."""

    wire: Wire
    retries: Retries
    clock: Callable[[], float]
    random: Random
    new_key: Callable[[], str]
    silence: float = SILENCE

    async def answer(self, call: Call[T], sent: Sent | None = None) -> T:
        """What the API answers, after as many attempts as are safe."""
        headers = self._headers(call)
        attempt = 1
        while True:
            try:
                return _read(call, await self._once(call, headers, sent))
            except MorrowError as error:
                if call.ends and attempt > 1 and error.status == httpx.codes.NOT_FOUND:
                    return cast("T", None)  # an attempt before this one ended it
                pause = self.retries.pause(attempt, error, call.again, self.random)
                if pause is None:
                    raise
            await self.wire.pause(pause)
            attempt += 1

    async def pages(self, pages: Pages[T]) -> AsyncGenerator[T, None]:
        """Every item of a list."""
        cursor: str | None = None
        while True:
            page = cast("Mapping[str, object]", await self.answer(pages.page(cursor)))
            for item in cast("list[T]", page["items"]):
                yield item
            cursor = cast("str | None", page.get("next_cursor"))
            if cursor is None:
                return

    @asynccontextmanager
    async def opened(
        self, call: Call[object], silence: float | None = None
    ) -> AsyncIterator[tuple[httpx.Response, AsyncIterator[bytes]]]:
        """An answer and its bytes as they come, in one attempt; `silence`: how long none may."""
        request = self._request(call, {"Accept-Encoding": "identity", **call.headers}, None)
        if silence is not None:
            request.extensions["timeout"]["read"] = silence
        with self._faults():
            async with self.wire.opened(request) as (answer, chunks):
                if not answer.is_success:
                    raise refusal(_whole(answer, b"".join([chunk async for chunk in chunks])))
                yield answer, chunks

    def _headers(self, call: Call[T]) -> dict[str, str]:
        """Those of every attempt."""
        if call.again is Again.KEYED and KEY not in call.headers:
            return {KEY: self.new_key(), **call.headers}
        return dict(call.headers)

    async def _once(
        self, call: Call[T], headers: Mapping[str, str], sent: Sent | None
    ) -> httpx.Response:
        request = self._request(call, headers, sent)
        with self._faults():
            return await self.wire.send(request)

    def _request(
        self, call: Call[T], headers: Mapping[str, str], sent: Sent | None
    ) -> httpx.Request:
        content = call.content
        if content is None:
            return self.wire.http.build_request(
                call.method, call.target, params=call.query_text, json=call.body, headers=headers
            )
        return self.wire.http.build_request(
            call.method,
            call.target,
            params=call.query_text,
            content=self.wire.body(_counted(content, sent)),
            headers={
                "Content-Type": content.media_type,
                "Content-Length": str(content.length),
                **headers,
            },
        )

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except httpx.LocalProtocolError as error:
            raise MorrowError("not_sendable", f"this cannot be sent: {error}") from error
        except httpx.RequestError as error:
            reason = str(error) or type(error).__name__
            taken = not isinstance(error, NOT_TAKEN)
            raise Unreachable(str(self.wire.http.base_url), reason, taken=taken) from error


def _read(call: Call[T], answer: httpx.Response) -> T:
    if not answer.is_success and answer.status_code not in call.welcome:
        raise refusal(answer)
    if answer.status_code == httpx.codes.NO_CONTENT:
        return cast("T", None)
    try:
        return cast("T", answer.json())
    except ValueError:
        raise not_morrow(answer) from None


def _whole(answer: httpx.Response, body: bytes) -> httpx.Response:
    """The answer with the body that was read out of it."""
    headers = {name: answer.headers[name] for name in KEPT if name in answer.headers}
    return httpx.Response(answer.status_code, headers=headers, content=body, request=answer.request)


def _counted(content: Content, sent: Sent | None) -> Iterator[bytes]:
    for chunk in content.chunks():
        yield chunk
        if sent is not None:
            sent(len(chunk))


def linked(wire: Wire, retries: Retries) -> Link:
    """With the process's own clock and chance."""
    return Link(wire, retries, time.monotonic, random.random, lambda: uuid4().hex)
