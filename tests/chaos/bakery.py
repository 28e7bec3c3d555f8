"""A cheap cargo in the shape of the real one: the lock, a child's work, then the effect and the
finished task in one fenced transaction."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from services.training.queue.children import Slot
from services.training.queue.finish import finish
from services.training.queue.locks import AdvisoryLocks, LockBusy, LockLost
from services.training.queue.task import ClaimedTask, Snooze, StalePublish, State
from shared.database import Sessions, tenant_transaction
from tests.chaos.dough import bake
from tests.chaos.journal import Journal, Said

BUSY_SECONDS = 0.1
EFFECT = text("INSERT INTO effects VALUES (:task, :fence, :worker, :answer)")


@dataclass(frozen=True, slots=True)
class Bakery:
    """One worker's. `deadline` in seconds is what a child has for an order."""

    worker: str
    sessions: Sessions
    locks: AdvisoryLocks
    slots: "asyncio.LifoQueue[Slot]"
    journal: Journal
    deadline: float

    async def run(self, task: ClaimedTask) -> None:
        async with self._lock(task.payload["lock"]):
            order = (task.payload["seconds"], task.claim.id)
            async with self._slot() as slot:
                answer = await slot.run(bake, order, lambda _: None, self.deadline)
            await self._publish(task, answer)
        self.journal.write(Said.DONE, task.claim.id, task.claim.fence)

    async def bury(self, task: ClaimedTask, error: dict[str, Any]) -> None:
        async with tenant_transaction(self.sessions, task.tenant_id) as session:
            await finish(session, task.claim, State.FAILED, error=error)

    async def _publish(self, task: ClaimedTask, answer: int) -> None:
        """The effect comes before the fence: what the fence refuses must undo it."""
        claim = task.claim
        effect = {"task": claim.id, "fence": claim.fence, "worker": self.worker}
        try:
            async with tenant_transaction(self.sessions, task.tenant_id) as session:
                await session.execute(EFFECT, effect | {"answer": answer})
                await finish(session, claim, State.SUCCEEDED, {"answer": answer})
        except StalePublish:
            self.journal.write(Said.STALE, claim.id, claim.fence)
            raise

    @asynccontextmanager
    async def _lock(self, name: str) -> AsyncIterator[None]:
        try:
            async with self.locks.hold(name):
                yield
        except (LockBusy, LockLost) as error:
            raise Snooze(BUSY_SECONDS, type(error).__name__) from None

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[Slot]:
        slot = await self.slots.get()
        try:
            yield slot
        finally:
            self.slots.put_nowait(slot)
