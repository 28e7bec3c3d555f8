"""What the pipeline works with, and the pool of slots that its children run in."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from services.training.jobs.pool_shelf import PoolShelf
from services.training.queue.children import Slot
from services.training.queue.locks import AdvisoryLocks
from services.training.settings import Settings
from services.training.sources.run import Supply
from shared.artifacts import ArtifactStore
from shared.database import Sessions
from shared.doorbell import Bell


class SlotPool:
    """As many slots as the train lane is wide: a task that runs always finds one free."""

    def __init__(self, slots: list[Slot]) -> None:
        self._slots = slots
        self.width = len(slots)
        self._free: asyncio.LifoQueue[Slot] = asyncio.LifoQueue()
        for slot in slots:
            self._free.put_nowait(slot)

    @asynccontextmanager
    async def take(self) -> AsyncIterator[Slot]:
        slot = await self._free.get()
        try:
            yield slot
        finally:
            self._free.put_nowait(slot)

    def close(self) -> None:
        for slot in self._slots:
            slot.close()


@dataclass(frozen=True, slots=True)
class Workshop:
    """One worker's."""

    settings: Settings
    sessions: Sessions
    artifacts: ArtifactStore
    pools: PoolShelf
    locks: AdvisoryLocks
    slots: SlotPool
    bell: Bell
    supply: Supply
