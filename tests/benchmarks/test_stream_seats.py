"""Those who watch in a benchmark, against a server of the `websockets` library."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from http import HTTPStatus

import pytest
from websockets.asyncio.server import Request, Response, ServerConnection, serve

from benchmarks.stream_seats import Refused, Seat, Sitting

SEAT = Seat(0, "/ws?since=0", "a key")


@asynccontextmanager
async def served(
    tell: Callable[[ServerConnection], Awaitable[None]], keys: tuple[str, ...] = ("a key",)
) -> AsyncIterator[str]:
    def ask(connection: ServerConnection, request: Request) -> Response | None:
        if request.headers["Authorization"] in {f"Bearer {key}" for key in keys}:
            return None
        return connection.respond(HTTPStatus.UNAUTHORIZED, "who are you?")

    async with serve(tell, "127.0.0.1", 0, process_request=ask, compression=None) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def tell_three(connection: ServerConnection) -> None:
    await connection.send('{"seq":1,"type":"job.queued"}')
    await connection.ping()
    await connection.send('{"seq":2,"type":"job.started"}')
    await connection.send('{"seq":3,"type":"job.finished"}')
    await connection.close(1000)


def sit(address: str, seats: list[Seat], last: int) -> Sitting:
    with closing(Sitting(address, seats)) as sitting:
        sitting.open()
        while sitting.is_waiting([last]):
            sitting.listen(0.05)
        return sitting


async def test_each_hears_every_event_and_why_it_was_closed() -> None:
    async with served(tell_three) as address:
        sitting = await asyncio.to_thread(sit, address, [SEAT] * 70, 4)
    for watcher in sitting.watchers:
        assert list(watcher.heard.seqs) == [1, 2, 3]
        assert list(watcher.heard.moments) == sorted(watcher.heard.moments)
        assert watcher.heard.code == 1000


async def test_pings_are_answered() -> None:
    answered = asyncio.Event()

    async def ping(connection: ServerConnection) -> None:
        await (await connection.ping())
        answered.set()
        await connection.send('{"seq":1,"type":"job.queued"}')
        await connection.wait_closed()

    async with served(ping) as address:
        await asyncio.to_thread(sit, address, [SEAT], 1)
    assert answered.is_set()


async def test_who_is_not_let_in_ends_the_benchmark() -> None:
    async with served(tell_three, keys=()) as address:
        with pytest.raises(Refused, match="401"):
            await asyncio.to_thread(sit, address, [SEAT], 1)


async def test_who_does_not_read_takes_little_and_is_not_waited_for() -> None:
    stuck = asyncio.Event()

    async def tell_on(connection: ServerConnection) -> None:
        try:
            async with asyncio.timeout(1):
                for seq in range(1, 200):
                    await connection.send(f'{{"seq":{seq},"note":"{"x" * 4096}"}}')
        except TimeoutError:
            stuck.set()
            connection.transport.abort()

    idle = Seat(0, "/ws?since=0", "a key", reads=False)
    async with served(tell_on) as address:
        with closing(Sitting(address, [idle])) as sitting:
            sitting.open()
            assert not sitting.is_waiting([1])
            await asyncio.wait_for(stuck.wait(), 10)
