"""Periodic work: each tenant's turn comes once an interval, and has one effect."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from random import Random
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import select, update

from services.training import tables
from services.training.queue.enqueue import enqueue
from services.training.queue.periodic import (
    JITTER,
    Periodic,
    Rota,
    StaleTurn,
    Turn,
    end_turn,
)
from shared.database import tenant_transaction
from tests.conftest import Database
from tests.queue.real_queue import Queue, new_task

NOW = timedelta(0)
HOUR = timedelta(hours=1)
Run = Callable[[Turn], Awaitable[None]]


def rota_of(queue: Queue, *works: Periodic) -> Rota:
    return Rota("w1", works, queue.engine, queue.sessions, Random(7), look_seconds=0.05)


async def give_once(queue: Queue, *works: Periodic) -> None:
    """One look at all the works."""
    rota = rota_of(queue, *works)
    for work in works:
        await rota._give_turns(work)


def ending(queue: Queue, turns: list[Turn]) -> Run:
    """Work that notes its turn and ends it."""

    async def run(turn: Turn) -> None:
        async with tenant_transaction(queue.sessions, turn.tenant_id) as session:
            await end_turn(session, turn, {"seen": turn.number})
        turns.append(turn)

    return run


async def run_of(queue: Queue, tenant_id: UUID, name: str = "tidy") -> tables.PeriodicRun | None:
    async with tenant_transaction(queue.sessions, tenant_id) as session:
        return await session.scalar(
            select(tables.PeriodicRun).where(tables.PeriodicRun.name == name)
        )


async def make_due(queue: Queue, tenant_id: UUID) -> None:
    async with tenant_transaction(queue.sessions, tenant_id) as session:
        await session.execute(
            update(tables.PeriodicRun).values(next_at=tables.PeriodicRun.next_at - 2 * HOUR)
        )


async def test_every_tenant_has_its_turn_and_the_next_after_the_interval(queue: Queue) -> None:
    tenants = {await queue.tenant() for _ in range(3)}
    turns: list[Turn] = []
    work = Periodic("tidy", NOW, ending(queue, turns))
    await give_once(queue, work)
    assert {turn.tenant_id for turn in turns} == tenants
    hourly = Periodic("tidy", HOUR, ending(queue, turns))
    await give_once(queue, hourly)
    assert len(turns) == 6
    await give_once(queue, hourly)
    assert len(turns) == 6
    [first, *_] = tenants
    await make_due(queue, first)
    await give_once(queue, hourly)
    assert [(turn.tenant_id, turn.number) for turn in turns[6:]] == [(first, 2)]


async def test_a_new_tenant_waits_as_long_as_any(queue: Queue, tenant_id: UUID) -> None:
    turns: list[Turn] = []
    await give_once(queue, Periodic("tidy", HOUR, ending(queue, turns)))
    assert turns == []


async def test_the_last_run_is_stored(queue: Queue, tenant_id: UUID) -> None:
    await give_once(queue, Periodic("tidy", NOW, ending(queue, [])))
    run = await run_of(queue, tenant_id)
    assert run is not None
    assert (run.number, run.worker, run.outcome, run.error) == (1, "w1", {"seen": 0}, None)


async def test_intervals_are_jittered_a_little(queue: Queue) -> None:
    rota = rota_of(queue)
    drawn = [rota._jittered(HOUR) for _ in range(500)]
    assert min(drawn) >= HOUR * (1 - JITTER)
    assert max(drawn) <= HOUR * (1 + JITTER)
    assert len(set(drawn)) > 400


async def test_of_two_leaders_at_one_turn_one_has_an_effect(queue: Queue, tenant_id: UUID) -> None:
    """Both have looked before either ends: a leader that froze, and the one that followed it."""
    turn = Turn(tenant_id, "tidy", 0, "w1", HOUR)
    both_in = asyncio.Barrier(2)

    async def leader() -> None:
        async with tenant_transaction(queue.sessions, tenant_id) as session:
            session.add(
                tables.SourceSync(
                    tenant_id=tenant_id,
                    id=uuid4(),
                    source="it",
                    kind="k",
                    cause="c",
                    status="tidied",
                )
            )
            await session.flush()
            await both_in.wait()
            await end_turn(session, turn, {})

    outcomes = await asyncio.gather(leader(), leader(), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NoneType", "StaleTurn"]
    async with tenant_transaction(queue.sessions, tenant_id) as session:
        effects = await session.scalars(select(tables.SourceSync))
        assert len(effects.all()) == 1


async def test_a_turn_that_was_had_meanwhile_is_refused(queue: Queue, tenant_id: UUID) -> None:
    turns: list[Turn] = []
    run = ending(queue, turns)
    for number in range(3):
        await run(Turn(tenant_id, "tidy", number, "w1", HOUR))
    for stale in (0, 2, 4):
        with pytest.raises(StaleTurn):
            await run(Turn(tenant_id, "tidy", stale, "w1", HOUR))


async def test_a_turn_that_fails_costs_nobody_else_theirs_and_comes_again_soon(
    queue: Queue,
) -> None:
    bad, good = await queue.tenant(), await queue.tenant()
    turns: list[Turn] = []

    async def run(turn: Turn) -> None:
        if turn.tenant_id == bad:
            raise ZeroDivisionError("no flour")
        await ending(queue, turns)(turn)

    await give_once(queue, Periodic("tidy", NOW, run), Periodic("bake", NOW, ending(queue, turns)))
    assert {(turn.tenant_id, turn.work) for turn in turns} == {
        (good, "tidy"), (good, "bake"), (bad, "bake"),
    }  # fmt: skip
    failed = await run_of(queue, bad)
    assert failed is not None
    assert (failed.number, failed.error) == (1, "ZeroDivisionError: no flour")
    await give_once(queue, Periodic("tidy", HOUR, run))
    assert failed.next_at - failed.ended_at < HOUR


async def test_what_a_failed_turn_did_is_rolled_back(queue: Queue, tenant_id: UUID) -> None:
    async def run(turn: Turn) -> None:
        async with tenant_transaction(queue.sessions, turn.tenant_id) as session:
            await enqueue(session, turn.tenant_id, [new_task()])
            await end_turn(session, turn, {})
            raise ZeroDivisionError

    await give_once(queue, Periodic("tidy", NOW, run))
    assert await queue.claim(10) == []


async def test_a_database_that_is_away_is_looked_for_again(
    queue: Queue, tenant_id: UUID, database: Database
) -> None:
    turns: list[Turn] = []
    rota = rota_of(queue, Periodic("tidy", NOW, ending(queue, turns)))
    await cut(database, "test-worker")
    for _ in range(5):
        for work in rota._works:
            await rota._give_turns(work)
    assert turns


async def cut(database: Database, application: str) -> None:
    """End every connection of the application to this database."""
    connection = await asyncpg.connect(database.admin_dsn)
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = $1 AND datname = current_database()",
        application,
    )
    await connection.close()
