"""Over a bad network every call ends in its answer or in a named error, within its time."""

import asyncio
import time
from dataclasses import replace

import pytest

from shared.breaker import Breakers, BreakerTerms, State
from shared.upstream.client import UpstreamClient
from shared.upstream.errors import (
    UpstreamError,
    UpstreamOpen,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from tests.faults.proxy import (
    Bandwidth,
    DataLimit,
    Fault,
    Latency,
    Reset,
    Slicer,
    SlowClose,
    Timeout,
    fault_proxy,
)
from tests.upstream.made_upstream import TERMS, good, made_upstream, patient_breakers

VALUE = [{"date": "2026-01-02", "index": 1.5}] * 40
QUICK = replace(TERMS, read_seconds=0.4, total_seconds=1.5)


@pytest.mark.parametrize("fault", [Latency(0.1), Bandwidth(20_000), Slicer(100), SlowClose(5)])
async def test_what_is_only_slow_is_waited_for(fault: Fault) -> None:
    async with (
        made_upstream(lambda asked: good(VALUE)) as upstream,
        fault_proxy(upstream.port) as proxy,
        UpstreamClient(QUICK, patient_breakers()) as client,
    ):
        proxy.inject(fault)
        assert await client.get(upstream.as_upstream(url=proxy.url), "x", {}) == VALUE
    assert len(upstream.asked) == 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Timeout(60), UpstreamTimeout),
        (Timeout(0.05), UpstreamUnreachable),
        (Reset(), UpstreamUnreachable),
        (Reset(200), UpstreamUnreachable),
        (DataLimit(10), UpstreamUnreachable),
        (DataLimit(300), UpstreamUnreachable),
        (Slicer(1, 0.1), UpstreamTimeout),
        (Bandwidth(200), UpstreamTimeout),
        (Latency(30), UpstreamTimeout),
    ],
)
async def test_what_is_broken_ends_in_its_name_and_in_time(
    fault: Fault, error: type[UpstreamError]
) -> None:
    """Trickles keep each single read within its limit: the whole call ends all the same."""
    breakers = Breakers({"weather": BreakerTerms(1, 30)})
    async with (
        made_upstream(lambda asked: good(VALUE)) as upstream,
        fault_proxy(upstream.port) as proxy,
        UpstreamClient(QUICK, breakers) as client,
    ):
        proxy.inject(fault)
        through = upstream.as_upstream(url=proxy.url)
        async with asyncio.timeout(30):
            with pytest.raises(error) as failed:
                await client.get(through, "x", {})
        assert failed.value.upstream == f"127.0.0.1:{proxy.port}"
        with pytest.raises(UpstreamOpen):
            await client.get(through, "x", {})
    assert proxy.connections == 1


async def test_down_and_up_again_opens_and_closes_the_breaker() -> None:
    breakers = Breakers({"weather": BreakerTerms(3, 0.3)})
    async with (
        made_upstream(lambda asked: good(VALUE)) as upstream,
        fault_proxy(upstream.port) as proxy,
        UpstreamClient(QUICK, breakers) as client,
    ):
        through = upstream.as_upstream(url=proxy.url)
        assert await client.get(through, "x", {}) == VALUE
        await proxy.go_down()
        for _ in range(20):
            with pytest.raises(UpstreamError):
                await client.get(through, "x", {})
        assert next(breakers.reports()).state is State.OPEN
        await proxy.go_up()
        began = time.monotonic()
        while next(breakers.reports()).state is not State.CLOSED:
            assert time.monotonic() - began < 20
            try:
                assert await client.get(through, "x", {}) == VALUE
            except UpstreamOpen:
                await asyncio.sleep(0.02)
    assert len(upstream.asked) == 2


async def test_a_reset_in_between_is_made_good_by_the_retry(client: UpstreamClient) -> None:
    async with (
        made_upstream(lambda asked: good(VALUE)) as upstream,
        fault_proxy(upstream.port) as proxy,
    ):
        through = upstream.as_upstream(url=proxy.url)
        assert await client.get(through, "x", {}) == VALUE
        proxy.cut()
        assert await client.get(through, "x", {}) == VALUE
