"""What the pipeline works with, and the pool of slots that its children run in."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from services.training.cluster.cluster import Cluster
from services.training.jobs.pool_shelf import PoolShelf
from services.training.queue.children import ChildSlot
from services.training.queue.locks import AdvisoryLocks
from services.training.settings import Settings
from services.training.sources.run import Supply
from shared.artifacts import ArtifactStore
from shared.database import Sessions
from shared.doorbell import Bell


class SlotPool:
    """As many slots as tasks may run in them at once. The train lane is as wide as the wider of a
    worker's two: a task waits for a slot only where others have fallen back on this machine."""

    def __init__(self, slots: Sequence[ChildSlot]) -> None:
        self._slots = slots
        self.width = len(slots)
        self._free: asyncio.LifoQueue[ChildSlot] = asyncio.LifoQueue()
        for slot in slots:
            self._free.put_nowait(slot)

    @asynccontextmanager
    async def take(self) -> AsyncIterator[ChildSlot]:
        slot = await self._free.get()
        try:
            yield slot
        finally:
            self._free.put_nowait(slot)

    def close(self) -> None:
        for slot in self._slots:
            slot.close()


@dataclass(frozen=True, slots=True)
class Afar:
    """A worker's cluster, and the pool of its slots there."""

    cluster: Cluster
    slots: SlotPool


@dataclass(frozen=True, slots=True)
class Workshop:
    """One worker's. `afar` where it has a cluster."""

    settings: Settings
    sessions: Sessions
    artifacts: ArtifactStore
    pools: PoolShelf
    locks: AdvisoryLocks
    slots: SlotPool
    bell: Bell
    supply: Supply
    afar: Afar | None = None

    def width(self, used: str | None) -> int:
        """How many series of a job are trained at once by this worker, where the job is."""
        return self.slots.width if used != "cluster" or self.afar is None else self.afar.slots.width
