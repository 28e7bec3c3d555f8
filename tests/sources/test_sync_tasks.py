"""Syncs as a worker does them: asked for, by their schedule, and taken up after a death."""

import asyncio
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from services.training.pruning.sweeps import sweeps_of
from services.training.pruning.terms import Terms
from services.training.queue.periodic import StaleTurn, Turn
from services.training.queue.pruner import Measure, prune
from services.training.sources.turn import SOURCE_SYNC, ask_for_due_syncs
from shared.database import connect_directly
from shared.doorbell import Bell
from shared.roles import WORKER
from tests.conftest import Database, settings_for
from tests.sources.conftest import BASE, SECONDS, Desk
from tests.sources.upstreams import Answer, Asked, said
from tests.worker_here import working_here

DAY = (datetime.now(UTC) - timedelta(days=2)).date().isoformat()

STATES = "SELECT state FROM tasks"


def items(*products: str, cursor: str | None = None) -> Answer:
    rows = [{"date": DAY, "product": product, "quantity": 3} for product in products]
    return said({"items": rows, "next_cursor": cursor})


def worker(database: Database, folder: Path, **values: object) -> AbstractAsyncContextManager[None]:
    settings = settings_for(
        database.worker_dsn,
        folder,
        workers=1,
        renew_seconds=0.5,
        allow_private_upstreams=True,
        **values,
    )
    return working_here(settings)


async def ended(desk: Desk, sync_id: str) -> dict[str, Any]:
    for _ in range(400):
        answer = await desk.tenant.client.get(f"{BASE}/sources/sales/syncs/{sync_id}")
        shown: dict[str, Any] = answer.json()
        if shown["status"] in {"succeeded", "failed"}:
            return shown
        await asyncio.sleep(0.05)
    raise AssertionError(f"the sync does not end: {shown}")


async def ask(desk: Desk) -> str:
    sync_id: str = (await desk.tenant.client.post(f"{BASE}/sources/sales/sync")).json()["sync_id"]
    return sync_id


async def test_what_is_asked_for_is_pulled_by_a_worker(
    desk: Desk, database: Database, tmp_path: Path
) -> None:
    desk.stand.answer = lambda _: items("rye", "bun")
    await desk.connect("sales", "http", credentials="s3cret")
    async with worker(database, tmp_path):
        shown = await ended(desk, await ask(desk))
        await task_succeeds(desk)
    assert (shown["status"], shown["rows"], shown["pages"]) == ("succeeded", 2, 1)
    source = await desk.shown("sales")
    assert source["data_through"] == DAY
    assert source["freshness"]["status"] == "fresh"


async def task_succeeds(desk: Desk) -> None:
    """Right after its sync has ended: in a transaction of its own."""
    async with asyncio.timeout(SECONDS):
        while [task["state"] for task in await desk.rows(STATES)] != ["succeeded"]:
            await asyncio.sleep(0.02)


async def test_a_source_that_fails_ends_its_sync_with_a_named_error(
    desk: Desk, database: Database, tmp_path: Path
) -> None:
    desk.stand.answer = lambda _: said({"error": "down"}, 403)
    await desk.connect("sales", "http")
    async with worker(database, tmp_path):
        shown = await ended(desk, await ask(desk))
    assert (shown["status"], shown["error"]["code"]) == ("failed", "upstream_status")
    assert desk.stand.url not in str(shown["error"])


async def test_a_sync_whose_worker_left_goes_on_at_its_cursor(
    desk: Desk, database: Database, tmp_path: Path
) -> None:
    stuck = asyncio.Event()

    async def stall(asked: Asked) -> Answer:
        if "cursor" in asked.query:
            stuck.set()
            await asyncio.Event().wait()
        return items("rye", cursor="c1")

    desk.stand.answer = stall
    await desk.connect("sales", "http")
    sync_id = await ask(desk)
    async with worker(database, tmp_path):
        await stuck.wait()
    before = len(desk.stand.asked)
    desk.stand.answer = lambda _: items("bun")
    async with worker(database, tmp_path):
        shown = await ended(desk, sync_id)
    assert (shown["status"], shown["rows"], shown["pages"]) == ("succeeded", 2, 2)
    assert [asked.query["cursor"] for asked in desk.stand.asked[before:]] == ["c1"]


class Leader:
    """Gives the tenant its turns."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.number = 0
        dsn = desk.database.worker_dsn
        self.bell = Bell(partial(connect_directly, dsn, WORKER, "test-leader"))

    async def turn(self) -> None:
        turn = Turn(self.desk.tenant.id, SOURCE_SYNC, self.number, "w1", timedelta(minutes=1))
        await ask_for_due_syncs(self.desk.sessions, self.bell, turn)
        self.number += 1

    async def asked_for(self) -> list[str]:
        rows = await self.desk.rows("SELECT source FROM source_syncs ORDER BY created_at")
        return [row["source"] for row in rows]

    async def pass_time(self, **since: float) -> None:
        past = timedelta(**since)
        await self.desk.rows(
            "UPDATE source_syncs SET created_at = created_at - $1::interval, "
            "finished_at = finished_at - $1::interval",
            past,
        )
        await self.desk.rows("UPDATE sources SET updated_at = updated_at - $1::interval", past)


async def end_all(desk: Desk, status: str) -> None:
    await desk.rows("UPDATE source_syncs SET status = $1, finished_at = now()", status)


async def test_a_turn_asks_for_what_is_due_and_for_nothing_twice(desk: Desk) -> None:
    leader = Leader(desk)
    await leader.turn()
    assert await leader.asked_for() == []
    await desk.connect("sales", "http", options={"every_minutes": 30})
    await leader.turn()
    await leader.pass_time(hours=1)  # nobody has come to it yet
    await leader.turn()
    assert await leader.asked_for() == ["sales"]
    await end_all(desk, "succeeded")
    await leader.turn()
    await leader.pass_time(minutes=29)
    await leader.turn()
    assert await leader.asked_for() == ["sales"]
    await leader.pass_time(minutes=2)
    await leader.turn()
    assert await leader.asked_for() == ["sales"] * 2


async def test_after_a_failure_the_next_comes_sooner_and_after_a_new_connection_at_once(
    desk: Desk,
) -> None:
    leader = Leader(desk)
    await desk.connect("sales", "http", options={"every_minutes": 600})
    await leader.turn()
    await end_all(desk, "failed")
    await leader.pass_time(minutes=14)
    await leader.turn()
    assert len(await leader.asked_for()) == 1
    await leader.pass_time(minutes=2)
    await leader.turn()
    assert len(await leader.asked_for()) == 2
    await end_all(desk, "succeeded")
    await desk.connect("sales", "http", base_url=f"{desk.stand.url}/v2")
    await leader.turn()
    assert len(await leader.asked_for()) == 3


async def test_of_two_leaders_one_asks(desk: Desk) -> None:
    leader = Leader(desk)
    await desk.connect("sales", "http")
    await leader.turn()
    await end_all(desk, "failed")
    await leader.pass_time(hours=2)
    leader.number = 0
    with pytest.raises(StaleTurn):
        await leader.turn()
    assert len(await leader.asked_for()) == 1


async def test_old_records_go_with_their_tasks_but_for_the_last_of_each_source(
    desk: Desk, database: Database, tmp_path: Path
) -> None:
    desk.stand.answer = lambda _: items("rye")
    await desk.connect("sales", "http")
    async with worker(database, tmp_path):
        for _ in range(3):
            last = await ask(desk)
            await ended(desk, last)
    await desk.rows("UPDATE source_syncs SET finished_at = now() - interval '40 days'")
    await desk.rows("UPDATE tasks SET finished_at = now() - interval '40 days' WHERE id < 3")
    day = timedelta(days=1)
    kept = dict.fromkeys(("order_lines", "weather", "traffic"), 400 * day)
    terms = Terms(runs=90 * day, events=30 * day, trials=90 * day, orphans=day, **kept)
    gone = await prune(desk.sessions, desk.tenant.id, sweeps_of(terms), Measure())
    assert (gone["syncs"], gone["sync_tasks"]) == (2, 2)
    left = await desk.rows("SELECT id::text FROM source_syncs")
    assert [row["id"] for row in left] == [last]
