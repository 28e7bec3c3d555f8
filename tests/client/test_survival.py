"""Followers of both kinds through the API's restarts, on processes and a database of their own."""

import asyncio
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import pytest

from morrow import AsyncClient, Client, Retries
from morrow.schemas import Event
from services.training.jobs.events import EventType, NewEvent, append
from shared.database import Sessions, tenant_transaction
from tests.conftest import OPERATOR_KEY, Database
from tests.processes import Programs, programs_on

FOLLOWERS = 3
EVENTS = 200


@pytest.fixture
def programs(database: Database, tmp_path: Path) -> Iterator[Programs]:
    """An API whose streams last no longer than a second."""
    with programs_on(database, tmp_path, MORROW_STREAM_LIFETIME_SECONDS="1") as made:
        made.serve()
        yield made


async def test_nobody_misses_an_event_while_the_api_is_killed_and_restarted(
    programs: Programs, sessions: Sessions
) -> None:
    with Client(programs.address, OPERATOR_KEY) as operator:
        made = operator.create_tenant("Bakery", country="DE", timezone="Europe/Berlin")
    tenant_id, key = UUID(made["tenant"]["id"]), made["api_key"]
    with ThreadPoolExecutor(FOLLOWERS) as threads:
        async with AsyncClient(programs.address, key) as client:
            await client.import_sales([{"date": "2025-01-01", "product": "rye", "quantity": 3}])
            job = (await client.create_job())["id"]
            loop = asyncio.get_running_loop()
            followed = [
                *(
                    loop.run_in_executor(threads, follow, programs, key, job)
                    for _ in range(FOLLOWERS)
                ),
                *(asyncio.create_task(follow_in_loop(client, job)) for _ in range(FOLLOWERS)),
            ]
            telling = asyncio.create_task(tell(sessions, tenant_id, job))
            for number in (signal.SIGKILL, signal.SIGTERM):
                await asyncio.sleep(0.5)
                await asyncio.to_thread(restart, programs, number)
            await telling
            await client.cancel_job(job)
            told = await asyncio.gather(*followed)
    for events in told:
        assert [each["seq"] for each in events] == list(range(1, EVENTS + 3))
        assert events[-1]["type"] == "job.finished"


def follow(programs: Programs, key: str, job: str) -> list[Event]:
    with Client(programs.address, key, retries=Retries(longest_pause=1.0)) as client:
        return list(client.events(job))


async def follow_in_loop(client: AsyncClient, job: str) -> list[Event]:
    return [each async for each in client.events(job)]


def restart(programs: Programs, number: signal.Signals) -> None:
    api = programs.started[-1]
    api.send(number)
    api.ended()
    programs.serve()


async def tell(sessions: Sessions, tenant_id: UUID, job: str) -> None:
    """Write into the job's log as a worker does, whatever becomes of the API."""
    for number in range(EVENTS):
        async with tenant_transaction(sessions, tenant_id) as session:
            news = NewEvent(EventType.PRODUCT_PROGRESS, f"{number}", percent=number / EVENTS * 100)
            await append(session, UUID(job), [news])
        await asyncio.sleep(0.02)
