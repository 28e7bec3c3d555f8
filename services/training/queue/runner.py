"""The loop of a lane: claim while there is room, run what was claimed, settle how it ended."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any, Literal

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.training.queue.backoff import backoff
from services.training.queue.claim import USUAL, Rules, claim_tasks, read_claimed
from services.training.queue.finish import put_back
from services.training.queue.lifeline import Lifeline
from services.training.queue.spans import run_span
from services.training.queue.task import (
    Claim,
    ClaimedTask,
    Refused,
    Snooze,
    StalePublish,
    TaskError,
)
from services.training.queue.telemetry import (
    CLAIM_SECONDS,
    SLOTS,
    STALE_PUBLISHES,
    TASK_SECONDS,
    TASKS_ENDED,
    TASKS_RUNNING,
)
from shared.database import Sessions, tenant_transaction
from shared.doorbell import Listener, wait_for_ring
from shared.tracing import note

QUEUED_CHANNEL = "morrow_queued"
POLL_SECONDS = 1.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Cargo:
    """What is done with one kind of task. `run` must itself finish the task, with its effects, in
    one fenced transaction; `bury` likewise, as failed for the given reason."""

    run: Callable[[ClaimedTask], Awaitable[None]]
    bury: Callable[[ClaimedTask, dict[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Lane:
    """What it carries, by kind, how many tasks at once, and by which rules it chooses them."""

    cargo: Mapping[str, Cargo]
    slots: int
    rules: Rules = USUAL


class Runner:
    """One lane of one worker."""

    def __init__(
        self,
        worker: str,
        lane: Lane,
        engine: AsyncEngine,
        sessions: Sessions,
        lifeline: Lifeline,
        listener: Listener,
        random: Random,
    ) -> None:
        self._worker = worker
        self._lane = lane
        self._engine = engine
        self._sessions = sessions
        self._lifeline = lifeline
        self._listener = listener
        self._random = random
        self._running: set[asyncio.Task[None]] = set()
        self._draining = asyncio.Event()
        self._claiming = asyncio.Lock()
        self._handing_back = False
        for kind in lane.cargo:
            SLOTS.labels(kind).set(lane.slots)

    async def run(self) -> None:
        """Claim and run until drained."""
        async with self._listener.subscribe(QUEUED_CHANNEL) as rung:
            while not self._draining.is_set():
                started = await self._fill()
                if self._running and len(self._running) >= self._lane.slots:
                    await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
                elif not started:
                    await wait_for_ring(rung, POLL_SECONDS)

    async def drain(self, grace: float, hurry: asyncio.Event) -> None:
        """Claim nothing more; give what runs `grace` seconds, or until hurried; then hand it back
        without burning its attempt."""
        self._draining.set()
        async with self._claiming:
            pass  # what was being claimed just now runs, and is drained too
        if self._running:
            hurried = asyncio.create_task(hurry.wait())
            ended = asyncio.create_task(_all_ended(self._running))
            await asyncio.wait({hurried, ended}, timeout=grace, return_when=asyncio.FIRST_COMPLETED)
            ended.cancel()
            hurried.cancel()
        self._handing_back = True
        for work in self._running:
            work.cancel()
        if self._running:
            await asyncio.wait(self._running)

    async def _fill(self) -> int:
        async with self._claiming:
            free = self._lane.slots - len(self._running)
            if free <= 0 or self._draining.is_set():
                return 0
            asked_at = time.monotonic()
            claims = await self._claim(free)
            claimed_at = time.monotonic()
            for claim in claims:
                self._start(claim, asked_at, claimed_at)
            return len(claims)

    async def _claim(self, most: int) -> Sequence[Claim]:
        try:
            with CLAIM_SECONDS.time():
                return await claim_tasks(
                    self._engine,
                    self._worker,
                    list(self._lane.cargo),
                    most,
                    self._lifeline.terms.length,
                    self._lane.rules,
                )
        except (SQLAlchemyError, OSError) as error:
            log.warning("claim_failed", error=str(error))
            return ()

    def _start(self, claim: Claim, asked_at: float, claimed_at: float) -> None:
        work = asyncio.create_task(self._work(claim, asked_at, claimed_at), name=f"task-{claim.id}")
        self._running.add(work)
        self._lifeline.hold(claim, work, asked_at)
        work.add_done_callback(lambda done: self._ended(claim, done))

    def _ended(self, claim: Claim, work: asyncio.Task[None]) -> None:
        self._running.discard(work)
        self._lifeline.let_go(claim)
        if not work.cancelled() and (error := work.exception()) is not None:
            log.error("task_left_to_its_lease", task=claim.id, exc_info=error)

    async def _work(self, claim: Claim, asked_at: float, claimed_at: float) -> None:
        with structlog.contextvars.bound_contextvars(
            tenant_id=str(claim.tenant_id), task=claim.id, attempt=claim.attempt
        ):
            try:
                await self._run_or_hand_back(claim, asked_at, claimed_at)
            except StalePublish:
                STALE_PUBLISHES.inc()
                log.warning("stale_publish")

    async def _run_or_hand_back(self, claim: Claim, asked_at: float, claimed_at: float) -> None:
        try:
            async with tenant_transaction(self._sessions, claim.tenant_id) as session:
                task = await read_claimed(session, claim)
            with run_span(task, asked_at, claimed_at):
                await self._run_or_bury(task)
        except asyncio.CancelledError:
            if not self._handing_back:
                raise
            await self._put_back(claim, timedelta(0), None, burn_attempt=False)

    async def _run_or_bury(self, task: ClaimedTask) -> None:
        if task.exhausted:
            await self._bury(task, task.error or _error("exhausted", "no attempt is left"))
            return
        try:
            in_progress = TASKS_RUNNING.labels(task.kind).track_inprogress()
            with in_progress, TASK_SECONDS.labels(task.kind).time():
                await self._lane.cargo[task.kind].run(task)
            _count_end(task, "finished")
        except StalePublish:
            raise
        except Snooze as snooze:
            _count_end(task, "snoozed")
            delay = timedelta(seconds=snooze.seconds)
            await self._put_back(task.claim, delay, None, burn_attempt=False)
        except Refused as refusal:
            await self._bury(task, _error(refusal.code, str(refusal)))
        except Exception as error:
            log.warning("task_failed", kind=task.kind, exc_info=error)
            note({"error.type": type(error).__name__})
            await self._retry(task, _told_of(error))

    async def _retry(self, task: ClaimedTask, error: dict[str, Any]) -> None:
        if task.last_attempt:
            await self._bury(task, error)
            return
        _count_end(task, "retried")
        delay = backoff(task.claim.attempt, self._random)
        await self._put_back(task.claim, delay, error, burn_attempt=True)

    async def _bury(self, task: ClaimedTask, error: dict[str, Any]) -> None:
        await self._lane.cargo[task.kind].bury(task, error)
        _count_end(task, "buried")

    async def _put_back(
        self,
        claim: Claim,
        delay: timedelta,
        error: dict[str, Any] | None,
        *,
        burn_attempt: bool,
    ) -> None:
        async with tenant_transaction(self._sessions, claim.tenant_id) as session:
            await put_back(session, claim, delay, error, burn_attempt=burn_attempt)


def _count_end(task: ClaimedTask, how: str) -> None:
    TASKS_ENDED.labels(task.kind, how).inc()
    note({"morrow.task.ended": how})


async def _all_ended(running: set[asyncio.Task[None]]) -> Literal[True]:
    await asyncio.wait(set(running))
    return True


def _told_of(error: Exception) -> dict[str, Any]:
    """What the task's owner is told: of an unforeseen error, only that the log has more."""
    if isinstance(error, TaskError):
        return _error(error.code, str(error))
    return _error("internal_error", "the worker failed at this task, and its log says why")


def _error(code: str, message: str) -> dict[str, Any]:
    return {"code": code, "message": message[:2000]}
