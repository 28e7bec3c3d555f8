"""Session advisory locks on one direct connection: the cheap early refusal, and what operators
see in `pg_locks`. They protect nothing by themselves; the fence does.

When the connection is lost, every lock on it is gone and another worker may be inside within
milliseconds: whoever holds one is cancelled with `LockLost`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import structlog

from shared.doorbell import Connect

LOCK = "SELECT pg_try_advisory_lock(hashtextextended($1, 0))"
UNLOCK = "SELECT pg_advisory_unlock(hashtextextended($1, 0))"

log = structlog.get_logger()


class LockBusy(Exception):
    """Somebody else holds it."""


class LockLost(Exception):
    """The connection that held it is gone."""


class AdvisoryLocks:
    """Locks of one worker. Make it, `async with` it, and `hold` names."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._one_at_a_time = asyncio.Lock()
        self._holders: dict[str, asyncio.Task[object]] = {}
        self._lost: set[str] = set()

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[None]:
        """Hold `name` while the body runs; `LockBusy` at once if it cannot be had, `LockLost`
        out of the body if the connection dies meanwhile."""
        if not await self._ask(LOCK, name):
            raise LockBusy(name)
        holder = asyncio.current_task()
        assert holder is not None
        self._holders[name] = holder
        try:
            yield
        except asyncio.CancelledError:
            if name in self._lost and holder.uncancel() == 0:
                raise LockLost(name) from None
            raise
        finally:
            self._holders.pop(name, None)
            if name in self._lost:
                self._lost.discard(name)
            elif not await self._ask(UNLOCK, name):
                log.error("advisory_unlock_refused", lock=name)

    async def close(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.close(timeout=5)

    async def _ask(self, question: str, name: str) -> bool:
        async with self._one_at_a_time:
            if self._connection is None or self._connection.is_closed():
                self._connection = await self._connect()
                self._connection.add_termination_listener(self._lose_all)
            answer: bool = await self._connection.fetchval(question, name, timeout=5)
            return answer

    def _lose_all(self, connection: object) -> None:
        if connection is not self._connection:
            return
        log.warning("lock_connection_lost", locks=len(self._holders))
        for name, holder in self._holders.items():
            self._lost.add(name)
            holder.cancel()
