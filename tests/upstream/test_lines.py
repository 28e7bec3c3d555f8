"""Lines that nobody uses are closed when there are too many, and no others."""

from contextlib import AsyncExitStack
from uuid import UUID

import httpx

from shared.upstream.lines import MOST_IDLE, LineKey, Lines


class Transport(httpx.AsyncBaseTransport):
    closed = False

    async def aclose(self) -> None:
        self.closed = True


class Made:
    """Keeps every transport that was made."""

    def __init__(self) -> None:
        self.transports: list[Transport] = []

    def __call__(self, trusted: bool) -> Transport:
        self.transports.append(Transport())
        return self.transports[-1]

    def closed(self) -> list[int]:
        return [number for number, one in enumerate(self.transports) if one.closed]


def key(number: int, owner: UUID | None = None) -> LineKey:
    return (f"weather:{number}", owner, "http://a:80", owner is None)


async def test_the_idle_ones_that_were_used_least_recently_are_closed() -> None:
    made = Made()
    lines = Lines(made)
    async with AsyncExitStack() as held:
        used = [await held.enter_async_context(lines.to(key(number))) for number in range(3)]
        for number in range(3, MOST_IDLE + 5):
            async with lines.to(key(number)):
                pass
        assert made.closed() == [3, 4, 5, 6, 7]
        async with lines.to(key(0)) as again:
            assert again is used[0]
    await lines.close()
    assert made.closed() == list(range(MOST_IDLE + 5))


async def test_when_all_are_used_none_is_closed() -> None:
    made = Made()
    lines = Lines(made)
    async with AsyncExitStack() as held:
        for number in range(MOST_IDLE + 9):
            await held.enter_async_context(lines.to(key(number)))
        assert made.closed() == []
    assert len(made.closed()) == 9
    await lines.close()


async def test_owners_share_no_line() -> None:
    lines, one, other = Lines(Made()), UUID(int=1), UUID(int=2)
    async with lines.to(key(1, one)) as ones, lines.to(key(1, other)) as others:
        assert ones is not others
        assert ones.budget is not others.budget
    await lines.close()
