"""Operations as methods of a client that waits for its answers."""

from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterator
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from morrow.call import Call, Pages
from morrow.link import Link
from morrow.signatures import show
from morrow.wire import run

P = ParamSpec("P")
T = TypeVar("T")


class Linked(Protocol):
    """A client."""

    @property
    def link(self) -> Link: ...


def call(make: Callable[P, Call[T]]) -> Callable[Concatenate[Linked, P], T]:
    """Sends the call; returns what is answered."""

    def method(self: Linked, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return run(self.link.answer(make(*args, **kwargs)))

    return show(method, make)


def pages(
    make: Callable[P, Pages[T]],
) -> Callable[Concatenate[Linked, P], Generator[T, None, None]]:
    """An iterator over a list, which asks for its pages as it comes to them."""

    def method(self: Linked, /, *args: P.args, **kwargs: P.kwargs) -> Generator[T, None, None]:
        return _stepped(self.link.pages(make(*args, **kwargs)))

    return show(method, make, Iterator)


def task(
    work: Callable[Concatenate[Link, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[Linked, P], T]:
    """Does what takes several calls; returns what comes of them."""

    def method(self: Linked, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return run(work(self.link, *args, **kwargs))

    return show(method, work)


def stream(
    follow: Callable[Concatenate[Link, P], AsyncGenerator[T, None]],
) -> Callable[Concatenate[Linked, P], Generator[T, None, None]]:
    """An iterator over what comes."""

    def method(self: Linked, /, *args: P.args, **kwargs: P.kwargs) -> Generator[T, None, None]:
        return _stepped(follow(self.link, *args, **kwargs))

    return show(method, follow, Iterator)


def _stepped(items: AsyncGenerator[T, None]) -> Generator[T, None, None]:
    try:
        while True:
            try:
                item = run(_next(items))
            except StopAsyncIteration:
                return
            yield item
    finally:
        run(items.aclose())


async def _next(items: AsyncGenerator[T, None]) -> T:
    return await anext(items)
