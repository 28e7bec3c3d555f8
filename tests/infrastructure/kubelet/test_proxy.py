"""The proxy asks again what may be asked again, and nothing else: it would hide what fails."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from services.training.app import create_app
from services.training.serving import server_of
from tests.conftest import settings_for
from tests.infrastructure.kubelet.caller import Caller
from tests.infrastructure.kubelet.endpoints import Endpoints
from tests.infrastructure.kubelet.proxy import Proxy, proxying
from tests.infrastructure.kubelet.upstream import KEPT_SECONDS
from tests.infrastructure.kubelet.wire import Broken, read_message
from tests.processes import free_port

KEY = "key"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Answering = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(Broken):
        while True:
            await read_message(reader)
            writer.write(OK)
            await writer.drain()
    writer.close()


async def closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_message(reader)
    writer.close()


async def breaks_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_message(reader)
    writer.write(OK[:20])
    await writer.drain()
    writer.close()


@asynccontextmanager
async def pod(answering: Answering) -> AsyncIterator[int]:
    server = await asyncio.start_server(answering, "127.0.0.1", 0)
    async with server:
        port: int = server.sockets[0].getsockname()[1]
        yield port


@asynccontextmanager
async def proxy_to(*ports: int) -> AsyncIterator[tuple[Proxy, Caller]]:
    async with proxying(Endpoints(0, routed=ports), "error timeout") as proxy:
        caller = Caller(proxy.port, "forecasts.example.com")
        try:
            yield proxy, caller
        finally:
            caller.close()


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_whom_it_cannot_connect_to_it_passes_over(method: str) -> None:
    async with pod(answers) as there, proxy_to(free_port(), there) as (proxy, caller):
        said = {(await caller.ask(method, "/tenant", KEY)).status for _ in range(2)}
    assert said == {200}
    assert proxy.repeated.keys() == {"not connected"}


@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("POST", 502)])
async def test_what_was_sent_it_sends_again_only_if_that_does_no_harm(
    method: str, status: int
) -> None:
    async with pod(closes) as gone, pod(answers) as there, proxy_to(gone, there) as (_, caller):
        assert (await caller.ask(method, "/tenant", KEY)).status == status


async def test_an_answer_that_breaks_off_is_not_asked_for_again() -> None:
    async with pod(breaks_off) as bad, pod(answers) as there, proxy_to(bad, there) as (_, caller):
        assert (await caller.ask("GET", "/tenant", KEY)).status == 502


async def test_without_a_pod_it_says_so() -> None:
    async with proxy_to() as (proxy, caller):
        assert (await caller.ask("GET", "/tenant", KEY)).status == 503
    assert proxy.own == {503: 1}


def test_the_api_keeps_idle_connections_for_longer_than_proxies_do(tmp_path: Path) -> None:
    """Who ends one first must be the one who sends on it, or what is under way is lost."""
    settings = settings_for("postgresql://nobody@nowhere/nothing", tmp_path)
    server = server_of(create_app(settings), settings, "127.0.0.1", 0)
    assert server.config.timeout_keep_alive > KEPT_SECONDS
    assert (server.config.timeout_graceful_shutdown or 0) > settings.request_seconds
