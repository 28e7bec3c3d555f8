"""A cluster is known to be away before anything waits for it; one that is well is told by
`test_on_ray.py`."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from services.training.cluster.health import FRESH_SECONDS, Pulse, probe
from tests.processes import free_port

SETTINGS = b"\0\0\0\x04\0\0\0\0\0"


@asynccontextmanager
async def server(answer: bytes) -> AsyncIterator[tuple[str, Callable[[], int]]]:
    """Says `answer` to whoever connects; its address, and how often somebody did."""
    seen: list[bytes] = []

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.read(1000))
        writer.write(answer)
        await reader.read()
        writer.close()

    listening = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        yield f"ray://127.0.0.1:{port}", lambda: len(seen)


async def test_nobody_there_is_told_by_its_address() -> None:
    port = free_port()
    fault = await probe(f"ray://127.0.0.1:{port}")
    assert fault is not None
    assert fault.startswith(f"127.0.0.1:{port} cannot be reached")


async def test_who_takes_connections_and_says_nothing_counts_as_away() -> None:
    """As a process that is stopped, whose connections the kernel takes."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        fault = await probe(f"ray://127.0.0.1:{silent.getsockname()[1]}")
    assert fault is not None
    assert "did not answer within 90 ms" in fault


async def test_a_host_that_drops_what_is_sent_to_it_counts_as_away() -> None:
    """As one behind a firewall: a full backlog leaves connections unanswered."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(address)
        fault = await probe(f"ray://127.0.0.1:{address[1]}")
        for each in waiting:
            each.close()
    assert fault is not None
    assert "did not answer within 90 ms" in fault


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0" * 9])
async def test_another_server_is_no_cluster(answer: bytes) -> None:
    async with server(answer) as (address, _):
        fault = await probe(address)
    assert fault is not None
    assert "no Ray client server" in fault


async def test_one_that_hangs_up_is_away() -> None:
    async with server(b"\0\0") as (address, _):
        assert await probe(address, seconds=0.05) is not None


async def test_who_speaks_http2_is_there() -> None:
    async with server(SETTINGS) as (address, _):
        assert await probe(address, seconds=5) is None


async def test_it_is_asked_once_by_all_who_come_within_a_few_seconds() -> None:
    now = 100.0
    async with server(SETTINGS) as (address, asked):
        pulse = Pulse(address, lambda: now)
        assert [await pulse.fault() for _ in range(3)] == [None] * 3
        assert await asyncio.gather(*(pulse.fault() for _ in range(3))) == [None] * 3
        assert asked() == 1
        now += FRESH_SECONDS + 0.1
        await pulse.fault()
        assert asked() == 2


async def test_what_is_kept_is_forgotten_in_time() -> None:
    now = 100.0
    port = free_port()
    pulse = Pulse(f"ray://127.0.0.1:{port}", lambda: now)
    assert await pulse.fault() is not None
    async with await asyncio.start_server(_greet, "127.0.0.1", port):
        assert await pulse.fault() is not None
        now += FRESH_SECONDS + 0.1
        assert await pulse.fault() is None


async def _greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(SETTINGS)
    await reader.read()
    writer.close()
