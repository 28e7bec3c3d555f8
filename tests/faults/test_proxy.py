"""Each fault is the one that it is named for: what others are tested with is tested itself."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.faults.proxy import (
    Bandwidth,
    DataLimit,
    Fault,
    FaultProxy,
    Latency,
    Reset,
    Slicer,
    SlowClose,
    Timeout,
    fault_proxy,
)

SAID = b"0123456789" * 10


@pytest.fixture
async def proxy() -> AsyncIterator[FaultProxy]:
    """To a server that says `SAID` to everybody, and hangs up."""

    async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(SAID)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with fault_proxy(server.sockets[0].getsockname()[1]) as made:
        yield made
    server.close()


async def heard(proxy: FaultProxy) -> tuple[list[bytes], float]:
    """The pieces that came, and the seconds until the end."""
    began = asyncio.get_running_loop().time()
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    pieces = []
    while piece := await reader.read(65536):
        pieces.append(piece)
    writer.close()
    return pieces, asyncio.get_running_loop().time() - began


async def test_without_a_fault_everything_passes(proxy: FaultProxy) -> None:
    pieces, _ = await heard(proxy)
    assert b"".join(pieces) == SAID
    assert proxy.connections == 1


@pytest.mark.parametrize(
    ("fault", "least_seconds"),
    [(Latency(0.2), 0.2), (Bandwidth(500), 0.2), (Slicer(50, 0.1), 0.2), (SlowClose(0.2), 0.2)],
)
async def test_what_is_slow_is_complete_and_late(
    proxy: FaultProxy, fault: Fault, least_seconds: float
) -> None:
    proxy.inject(fault)
    pieces, took = await heard(proxy)
    assert b"".join(pieces) == SAID
    assert took >= least_seconds


async def test_the_slicer_slices(proxy: FaultProxy) -> None:
    proxy.inject(Slicer(10, 0.02))
    pieces, _ = await heard(proxy)
    assert len(pieces) > 5


async def test_a_data_limit_ends_in_the_middle(proxy: FaultProxy) -> None:
    proxy.inject(DataLimit(42))
    assert b"".join((await heard(proxy))[0]) == SAID[:42]


async def test_a_timeout_passes_nothing_and_hangs(proxy: FaultProxy) -> None:
    proxy.inject(Timeout(0.2))
    pieces, took = await heard(proxy)
    assert pieces == []
    assert took >= 0.2


async def test_a_reset_is_a_reset(proxy: FaultProxy) -> None:
    proxy.inject(Reset())
    with pytest.raises(ConnectionResetError):
        await heard(proxy)


async def test_what_is_down_refuses_and_comes_up_where_it_was(proxy: FaultProxy) -> None:
    port = proxy.port
    await proxy.go_down()
    with pytest.raises(ConnectionRefusedError):
        await heard(proxy)
    await proxy.go_up()
    assert proxy.port == port
    assert b"".join((await heard(proxy))[0]) == SAID


async def test_what_is_injected_later_acts_on_connections_that_stand(proxy: FaultProxy) -> None:
    proxy.inject(Timeout(60))
    waiting = asyncio.ensure_future(heard(proxy))
    while not proxy.connections:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    proxy.inject()
    pieces, _ = await waiting
    assert pieces == []
    assert b"".join((await heard(proxy))[0]) == SAID
