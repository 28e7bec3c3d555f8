"""Those who watch a job, each in one of the ways there are, and come back for as long as it takes.

A way is one connection, from its start to its end, however it ends.
"""

import asyncio
import contextlib
import json
import socket
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from random import Random

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from morrow import AsyncClient
from tests.streams.faults.account import Account

OPEN_SECONDS = 30.0
LOOK_SECONDS = (0.4, 0.8)
BACK_SECONDS = (0.0, 0.2)
REST_SECONDS = 7.0
"""Longer than a send may take, and shorter than that and the farewell after it."""
AT_ONCE, SLOW_UNTIL = 300, 500
NARROW_BYTES = 16_384
LARGEST_FRAME = 2**20
FINISHED_CODE = 1000
TOO_SLOW = "1013"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the API is, called with one tenant's key; `http` and `client` serve all watchers."""

    host: str
    port: int
    key: str
    http: httpx.AsyncClient
    client: AsyncClient

    def path(self, job: str) -> str:
        return f"{self.host}:{self.port}/api/v1/training-jobs/{job}"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}


Way = Callable[[Place, Account, Random], Coroutine[None, None, None]]
Reading = Callable[[ClientConnection], Coroutine[None, None, None]]


async def watch(way: Way, place: Place, account: Account, random: Random) -> None:
    """Until the job has ended and the server has said so."""
    while not account.complete:
        await way(place, account, random)
        await asyncio.sleep(random.uniform(*BACK_SECONDS))


async def by_websocket(place: Place, account: Account, _: Random) -> None:
    async def read(opened: ClientConnection) -> None:
        async for text in opened:
            account.take(json.loads(text))

    await _over_socket(place, account, read)


async def by_slow_websocket(place: Place, account: Account, _: Random) -> None:
    """Takes what it is sent by fits and starts, until it is cut off for that; later as it comes."""

    async def read(opened: ClientConnection) -> None:
        while TOO_SLOW not in account.ends and account.last < SLOW_UNTIL:
            await asyncio.sleep(REST_SECONDS)
            for _ in range(AT_ONCE):
                account.take(json.loads(await opened.recv()))
        async for text in opened:
            account.take(json.loads(text))

    await _over_socket(place, account, read, narrow=True)


async def _over_socket(
    place: Place, account: Account, read: Reading, *, narrow: bool = False
) -> None:
    try:
        async with connect(
            f"ws://{place.path(account.job)}/ws?since={account.last}",
            additional_headers=place.headers,
            compression=None,
            open_timeout=OPEN_SECONDS,
            close_timeout=1,
            max_size=LARGEST_FRAME,
            sock=_narrow_connection(place) if narrow else None,
        ) as opened:
            with account.connection(), contextlib.suppress(ConnectionClosed):
                await read(opened)
        code = opened.close_code
    except InvalidStatus as refused:
        account.end(f"refused {refused.response.status_code}")
    except (OSError, EOFError, InvalidHandshake):
        account.end("cut")
    else:
        account.end(str(code), whole=code == FINISHED_CODE)


def _narrow_connection(place: Place) -> socket.socket:
    """One on which little can be on its way."""
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, NARROW_BYTES)
    narrow.connect((place.host, place.port))
    return narrow


async def by_server_sent_events(place: Place, account: Account, _: Random) -> None:
    headers = {**place.headers, "Accept": "text/event-stream", "Last-Event-ID": str(account.last)}
    url = f"http://{place.path(account.job)}/events"
    patience = httpx.Timeout(OPEN_SECONDS, read=None)
    try:
        async with place.http.stream("GET", url, headers=headers, timeout=patience) as answer:
            if answer.status_code != 200:
                account.end(f"refused {answer.status_code}")
                return
            with account.connection():
                await _take_blocks(answer, account)
    except httpx.TransportError:
        account.end("cut")
    else:
        account.end("end", whole=True)


async def _take_blocks(answer: httpx.Response, account: Account) -> None:
    """An event counts once its empty line has come."""
    block: dict[str, str] = {}
    async for line in answer.aiter_lines():
        name, _, value = line.partition(": ")
        if line:
            block[name] = value
        elif "data" in block:
            event = json.loads(block["data"])
            assert (block["id"], block["event"]) == (str(event["seq"]), event["type"])
            account.take(event)
            block = {}


async def by_polling(place: Place, account: Account, random: Random) -> None:
    url = f"http://{place.path(account.job)}/events"
    with account.connection():
        while not account.complete:
            try:
                answer = await place.http.get(
                    url, headers=place.headers, params={"since": account.last}
                )
            except httpx.TransportError:
                account.end("cut")
                return
            if answer.status_code != 200:
                account.end(f"refused {answer.status_code}")
                return
            for event in answer.json()["items"]:
                account.take(event)
            account.complete = account.has_finished
            await asyncio.sleep(random.uniform(*LOOK_SECONDS))


async def by_client(place: Place, account: Account, _: Random) -> None:
    """The product's own, which comes back by itself."""
    with account.connection():
        async for event in place.client.events(account.job, since=account.last):
            account.take(event)
    account.end("end", whole=True)
