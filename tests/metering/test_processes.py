"""One limit over three API processes that are asked ten times as often."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

import httpx
import pytest

from tests.conftest import BAKERY, OPERATOR_KEY, Database
from tests.processes import programs_on

PROCESSES = 3


@pytest.fixture
async def addresses(database: Database, tmp_path: Path) -> AsyncIterator[list[str]]:
    with ExitStack() as held:
        started = []
        for number in range(PROCESSES):
            folder = tmp_path / str(number)
            folder.mkdir()
            started.append(held.enter_context(programs_on(database, folder)))
        await asyncio.gather(*(asyncio.to_thread(programs.serve) for programs in started))
        yield [programs.address for programs in started]


async def key_of_tenant(address: str, per_minute: int) -> str:
    operator = {"Authorization": f"Bearer {OPERATOR_KEY}"}
    async with httpx.AsyncClient(base_url=f"{address}/api/v1", headers=operator) as client:
        made = (await client.post("/tenants", json=BAKERY)).json()
        limits = {"limits": {"requests_per_minute": per_minute}}
        changed = await client.patch(f"/tenants/{made['tenant']['id']}", json=limits)
        assert changed.status_code == 200, changed.text
        key: str = made["api_key"]
        return key


async def let_in(addresses: list[str], key: str, per_second: float, seconds: float) -> list[float]:
    """When each request was let in, in seconds since the first was sent."""
    async with AsyncExitStack() as held:
        header = {"Authorization": f"Bearer {key}"}
        clients = [
            await held.enter_async_context(
                httpx.AsyncClient(base_url=f"{address}/api/v1", headers=header, timeout=60)
            )
            for address in addresses
        ]
        began = time.monotonic()
        times: list[float] = []

        async def ask(client: httpx.AsyncClient) -> None:
            answer = await client.get("/locations")
            assert answer.status_code in {200, 429}, answer.text
            if answer.status_code == 200:
                times.append(time.monotonic() - began)

        async with asyncio.TaskGroup() as asking:
            for number, client in zip(
                range(int(per_second * seconds)), itertools.cycle(clients), strict=False
            ):
                await asyncio.sleep(began + number / per_second - time.monotonic())
                asking.create_task(ask(client))
        return times


async def test_three_processes_let_in_what_one_bucket_holds(addresses: list[str]) -> None:
    per_minute, seconds = 60, 3.0
    key = await key_of_tenant(addresses[0], per_minute)
    began = time.monotonic()
    times = await let_in(addresses, key, 10 * 60 / 3, seconds)
    took = time.monotonic() - began
    assert per_minute + int(seconds) - 1 <= len(times) <= per_minute + took * per_minute / 60


@pytest.mark.long
async def test_for_a_minute_at_ten_times_the_limit_it_is_the_limit(addresses: list[str]) -> None:
    per_minute, seconds = 600, 75.0
    key = await key_of_tenant(addresses[0], per_minute)
    times = await let_in(addresses, key, 10 * per_minute / 60, seconds)
    steady = [at for at in times if 15 <= at < 75]
    print(f"let in: {len(times)} of {per_minute * (1 + seconds / 60):.0f}, then {len(steady)}")
    assert len(times) == pytest.approx(per_minute * (1 + seconds / 60), rel=0.05)
    assert len(steady) == pytest.approx(per_minute, rel=0.05)
