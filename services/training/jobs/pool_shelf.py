"""The pools that trainings read now, kept at hand: a job's series all read the same."""

import asyncio
from collections import OrderedDict

from services.training.jobs.child import SavedPools
from services.training.jobs.pool_artifact import unmarked
from shared.artifacts import ArtifactStore

ROOM = 2


class PoolShelf:
    """The pools that were asked for last; each is read from the artifacts once while it is here."""

    def __init__(self, artifacts: ArtifactStore) -> None:
        self._artifacts = artifacts
        self._kept: OrderedDict[tuple[str, str], SavedPools] = OrderedDict()
        self._reading = asyncio.Lock()

    async def get(self, owner: str, sha256: str) -> SavedPools:
        """Raises what `ArtifactStore.get` does."""
        async with self._reading:
            name = (owner, sha256)
            if name not in self._kept:
                artifact = await self._artifacts.get(owner, sha256)
                self._kept[name] = SavedPools(sha256, unmarked(artifact))
            self._kept.move_to_end(name)
            while len(self._kept) > ROOM:
                self._kept.popitem(last=False)
            return self._kept[name]
