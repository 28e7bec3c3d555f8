"""Operations as methods of a client whose answers are awaited."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from morrow.call import Call, Pages
from morrow.link import Link
from morrow.signatures import show

P = ParamSpec("P")
T = TypeVar("T")


class Linked(Protocol):
    """A client."""

    @property
    def link(self) -> Link: ...


def call(make: Callable[P, Call[T]]) -> Callable[Concatenate[Linked, P], Coroutine[Any, Any, T]]:
    """Sends the call; returns what is answered."""

    async def method(self: Linked, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.link.answer(make(*args, **kwargs))

    return show(method, make)


def pages(
    make: Callable[P, Pages[T]],
) -> Callable[Concatenate[Linked, P], AsyncGenerator[T, None]]:
    """An iterator over a list, which asks for its pages as it comes to them."""

    def method(self: Linked, /, *args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[T, None]:
        return self.link.pages(make(*args, **kwargs))

    return show(method, make, AsyncIterator)


def task(
    work: Callable[Concatenate[Link, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[Linked, P], Coroutine[Any, Any, T]]:
    """Does what takes several calls; returns what comes of them."""

    async def method(self: Linked, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await work(self.link, *args, **kwargs)

    return show(method, work)


def stream(
    follow: Callable[Concatenate[Link, P], AsyncGenerator[T, None]],
) -> Callable[Concatenate[Linked, P], AsyncGenerator[T, None]]:
    """An iterator over what comes."""

    def method(self: Linked, /, *args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[T, None]:
        return follow(self.link, *args, **kwargs)

    return show(method, follow, AsyncIterator)
