"""What happens to keys elsewhere, found within a second in every process.

Requests look their key up; what outlives a request does not: open streams, and the keys that are
known for when the database is away. A poll needs no connection that might fall silent.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import Interval, bindparam, text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.training.identity.caller import Caller
from services.training.identity.known_keys import KnownKeys
from services.training.identity.standing import Standing
from shared.outage import DatabaseErrors

ENDED_KEYS: Final = text("SELECT * FROM ended_keys(:lately)").bindparams(
    bindparam("lately", type_=Interval)
)
LOOK_SECONDS: Final = 0.4
PATIENCE_SECONDS: Final = 5.0
MARGIN_SECONDS: Final = 60.0  # a revocation is told as of its beginning, and may commit later

log = structlog.get_logger()


class KeyWatch:
    """Of one process. `engine` is nobody else's, so that no slow query is in its way."""

    def __init__(self, engine: AsyncEngine, known_keys: KnownKeys) -> None:
        self._engine = engine
        self._known_keys = known_keys
        self._standings: defaultdict[UUID, set[Standing]] = defaultdict(set)
        self._sees = True

    @contextmanager
    def over(self, caller: Caller) -> Iterator[Standing]:
        """Their standing, which ends when their key does."""
        standing = Standing()
        timer = None
        if caller.expires_at is not None:
            left = (caller.expires_at - datetime.now(UTC)).total_seconds()
            timer = asyncio.get_running_loop().call_later(left, standing.end)
        if caller.key_id is not None:
            self._standings[caller.key_id].add(standing)
        try:
            yield standing
        finally:
            if timer is not None:
                timer.cancel()
            if caller.key_id is not None:
                self._forget(caller.key_id, standing)

    async def run(self) -> None:
        """Look again and again until cancelled; while the database is away, further back then."""
        looked_at = time.monotonic()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            began = time.monotonic()
            if not (self._standings or self._known_keys) or await self._look(began - looked_at):
                looked_at = began

    async def _look(self, back: float) -> bool:
        """Whether the database answered."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                ended = await self._ended(timedelta(seconds=back + MARGIN_SECONDS))
        except (*DatabaseErrors, TimeoutError) as error:
            if self._sees:
                log.warning("keys_unwatched", error=str(error) or type(error).__name__)
            self._sees = False
            return False
        self._sees = True
        if ended:
            self._known_keys.end(ended)
        for key_id in ended & self._standings.keys():
            for standing in self._standings[key_id]:
                standing.end()
        return True

    async def _ended(self, lately: timedelta) -> set[UUID]:
        async with self._engine.connect() as connection:
            found = await connection.execute(ENDED_KEYS, {"lately": lately})
            return set(found.scalars())

    def _forget(self, key_id: UUID, standing: Standing) -> None:
        self._standings[key_id].discard(standing)
        if not self._standings[key_id]:
            del self._standings[key_id]
