"""Work that comes again and again, by name and interval, for each tenant in turn.

A turn is fenced like a task: it ends only as the successor of the turn it saw (`number`), in the
transaction of its effects. Two leaders at once may do the same work twice, but one effect stands.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import func, literal, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from services.training import tables
from services.training.queue.telemetry import PERIODIC_TURNS
from shared.database import Sessions, tenant_transaction

LONGEST_TURN_SECONDS = 120.0
MOST_TENANTS = 100  # a look and work, so that no work waits for all tenants of another
JITTER = 0.1  # of the interval, either way
AGAIN_AFTER = timedelta(minutes=1)  # where a turn failed

DUE = text("SELECT * FROM periodic_due(:work, :every, :most)")

log = structlog.get_logger()


class StaleTurn(Exception):
    """The fence refused: somebody else had this turn meanwhile."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A tenant's turn at some work; `number` turns were before it, the next is `next_in` away."""

    tenant_id: UUID
    work: str
    number: int
    worker: str
    next_in: timedelta


@dataclass(frozen=True, slots=True)
class Periodic:
    """Work under its name. `run` must itself `end_turn`, in the transaction of its effects."""

    name: str
    every: timedelta
    run: Callable[[Turn], Awaitable[None]]


async def end_turn(session: AsyncSession, turn: Turn, outcome: dict[str, Any]) -> None:
    """Count the turn in the caller's transaction, or raise `StaleTurn` so that all of it is rolled
    back."""
    await _count(session, turn, turn.next_in, outcome, None)


async def put_off(session: AsyncSession, turn: Turn, error: str) -> None:
    """Count a turn that failed; the next comes soon."""
    await _count(session, turn, min(AGAIN_AFTER, turn.next_in), None, error[:2000])


async def _count(
    session: AsyncSession,
    turn: Turn,
    next_in: timedelta,
    outcome: dict[str, Any] | None,
    error: str | None,
) -> None:
    ended = {
        "number": turn.number + 1,
        "next_at": func.now() + next_in,
        "ended_at": func.now(),
        "worker": turn.worker,
        "outcome": outcome,
        "error": error,
    }
    counted = await session.execute(
        insert(tables.PeriodicRun)
        .values(tenant_id=turn.tenant_id, name=turn.work, **ended)
        .on_conflict_do_update(
            index_elements=["tenant_id", "name"],
            set_=ended,
            where=tables.PeriodicRun.number == literal(turn.number),
        )
        .returning(tables.PeriodicRun.number)
    )
    if counted.scalar_one_or_none() is None:
        raise StaleTurn


class Rota:
    """Everybody's turns, as one leader gives them."""

    def __init__(
        self,
        worker: str,
        works: Sequence[Periodic],
        engine: AsyncEngine,
        sessions: Sessions,
        random: Random,
        look_seconds: float,
    ) -> None:
        self._worker = worker
        self._works = works
        self._engine = engine
        self._sessions = sessions
        self._random = random
        self._look_seconds = look_seconds

    async def run(self) -> None:
        """Give turns until cancelled."""
        while True:
            given = [await self._give_turns(work) for work in self._works]
            if max(given, default=0) < MOST_TENANTS:
                await asyncio.sleep(self._look_seconds)

    async def _give_turns(self, work: Periodic) -> int:
        try:
            due = await self._due(work)
        except (SQLAlchemyError, OSError) as error:
            log.warning("periodic_look_failed", work=work.name, error=str(error))
            return 0
        for tenant_id, number in due:
            turn = Turn(tenant_id, work.name, number, self._worker, self._jittered(work.every))
            with structlog.contextvars.bound_contextvars(
                tenant_id=str(tenant_id), periodic=work.name
            ):
                await self._give(work, turn)
        return len(due)

    async def _due(self, work: Periodic) -> list[tuple[UUID, int]]:
        values = {"work": work.name, "every": work.every, "most": MOST_TENANTS}
        async with self._engine.connect() as connection:
            return [(row.tenant_id, row.number) for row in await connection.execute(DUE, values)]

    def _jittered(self, every: timedelta) -> timedelta:
        return every * (1 + JITTER * (2 * self._random.random() - 1))

    async def _give(self, work: Periodic, turn: Turn) -> None:
        """Whatever the turn raises is its outcome, and nobody else's turn is lost for it."""
        [outcome] = await asyncio.gather(_in_time(work, turn), return_exceptions=True)
        if outcome is None:
            PERIODIC_TURNS.labels(work.name, "ended").inc()
        elif isinstance(outcome, StaleTurn):
            PERIODIC_TURNS.labels(work.name, "stale").inc()
            log.warning("stale_turn", number=turn.number)
        else:
            PERIODIC_TURNS.labels(work.name, "failed").inc()
            log.error("periodic_turn_failed", number=turn.number, exc_info=outcome)
            await self._put_off(turn, outcome)

    async def _put_off(self, turn: Turn, error: BaseException) -> None:
        try:
            async with tenant_transaction(self._sessions, turn.tenant_id) as session:
                await put_off(session, turn, f"{type(error).__name__}: {error}")
        except StaleTurn:
            log.warning("stale_turn", number=turn.number)
        except (SQLAlchemyError, OSError) as unreachable:
            log.warning("periodic_turn_not_put_off", error=str(unreachable))


async def _in_time(work: Periodic, turn: Turn) -> None:
    async with asyncio.timeout(LONGEST_TURN_SECONDS):
        await work.run(turn)
