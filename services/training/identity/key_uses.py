"""When keys were last used: noted in memory, and written now and then beside the requests."""

import asyncio
import time
from collections.abc import Callable
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.training.identity.caller import Caller
from shared.outage import DatabaseErrors
from shared.recent import Recent

NOTE_KEY_USES: Final = text("SELECT note_key_uses(:tenants, :keys)")
WRITE_SECONDS: Final = 5.0
PATIENCE_SECONDS: Final = 2.0
WRITTEN_SECONDS: Final = 60.0
MOST_NOTED: Final = 10_000

log = structlog.get_logger()


class KeyUses:
    """Of one process. It writes of a key at most once a minute, and so do all of them together."""

    def __init__(self, engine: AsyncEngine, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._used: dict[UUID, UUID] = {}
        self._written: Recent[UUID, bool] = Recent(MOST_NOTED, WRITTEN_SECONDS, clock)

    def note(self, caller: Caller) -> None:
        """Their key is being used. Costs no statement; more keys than there is room for wait."""
        if caller.key_id is None or self._written.get(caller.key_id):
            return
        if len(self._used) < MOST_NOTED:
            self._used[caller.key_id] = caller.tenant_id

    async def run(self) -> None:
        """Write again and again until cancelled, and then once more."""
        try:
            while True:
                await asyncio.sleep(WRITE_SECONDS)
                await self.write()
        finally:
            await self.write()

    async def write(self) -> None:
        """Write what was noted; where the database is away, it stays noted."""
        if not self._used:
            return
        used, self._used = self._used, {}
        try:
            async with asyncio.timeout(PATIENCE_SECONDS), self._engine.begin() as connection:
                await connection.execute(
                    NOTE_KEY_USES, {"tenants": list(used.values()), "keys": list(used)}
                )
        except (*DatabaseErrors, TimeoutError) as error:
            self._used = used | self._used
            log.warning("key_uses_unwritten", error=str(error) or type(error).__name__)
            return
        for key_id in used:
            self._written.note(key_id, True)
