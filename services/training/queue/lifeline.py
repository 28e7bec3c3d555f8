"""Keeping leases alive while their work runs, and ending the work whose lease was lost.

A worker that cannot reach the database ends its own work before the lease does, by its own
monotonic clock: whoever claims the task next then has it alone.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.training.queue.claim import renew_leases
from services.training.queue.task import Claim
from services.training.queue.telemetry import LEASES_LOST
from shared.doorbell import Listener, wait_for_ring

CANCELLED_CHANNEL = "morrow_cancelled"
SAFETY = 0.75  # of the lease: after this long without a renewal the work is ended
LOOK = 0.05  # of the lease: how often that is looked at

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class LeaseTerms:
    """How long a lease lasts and how often it is renewed."""

    length: timedelta
    renew_every: timedelta


class Lifeline:
    """The claims that this worker works on, each with the task that does the work."""

    def __init__(
        self,
        engine: AsyncEngine,
        terms: LeaseTerms,
        listener: Listener,
        clock: Callable[[], float],
    ) -> None:
        self._engine = engine
        self.terms = terms
        self._listener = listener
        self._clock = clock
        self._held: dict[Claim, tuple[asyncio.Task[None], float]] = {}

    def hold(self, claim: Claim, work: asyncio.Task[None], claimed_at: float) -> None:
        """Watch over `work`; `claimed_at` is the clock just before the claim was asked for."""
        self._held[claim] = (work, claimed_at)

    def let_go(self, claim: Claim) -> None:
        self._held.pop(claim, None)

    async def run(self) -> None:
        """Renew until cancelled: every few seconds, and at once when a cancellation is rung. A
        renewal may hang as long as it likes: the clock is watched beside it."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch_the_clock())
            group.create_task(self._keep_renewing())

    async def renew(self) -> None:
        """Renew every claim held; end the work of those that were lost."""
        claims = list(self._held)
        if not claims:
            return
        asked_at = self._clock()
        try:
            async with asyncio.timeout(self.terms.renew_every.total_seconds()):
                kept = await renew_leases(self._engine, claims, self.terms.length)
        except (SQLAlchemyError, OSError) as error:  # TimeoutError is an OSError
            log.warning("lease_renewal_failed", error=str(error))
            return
        for claim in claims:
            if claim in kept:
                self._renewed(claim, asked_at)
            else:
                self._end(claim, "lost")

    async def _keep_renewing(self) -> None:
        async with self._listener.subscribe(CANCELLED_CHANNEL) as rung:
            while True:
                await self.renew()
                await wait_for_ring(rung, self.terms.renew_every.total_seconds())

    async def _watch_the_clock(self) -> None:
        while True:
            await asyncio.sleep(LOOK * self.terms.length.total_seconds())
            self._end_overdue()

    def _renewed(self, claim: Claim, at: float) -> None:
        if claim in self._held:
            self._held[claim] = (self._held[claim][0], at)

    def _end_overdue(self) -> None:
        overdue = self._clock() - SAFETY * self.terms.length.total_seconds()
        for claim, (_, renewed_at) in list(self._held.items()):
            if renewed_at < overdue:
                self._end(claim, "not renewed in time")

    def _end(self, claim: Claim, why: str) -> None:
        work, _ = self._held.pop(claim, (None, 0.0))
        if work is not None:
            LEASES_LOST.inc()
            log.info("lease_ended", task=claim.id, fence=claim.fence, why=why)
            work.cancel()
