"""How many streams a tenant holds open, on all processes together.

Each is a row with a lease, which its process renews until the stream has ended. So what a killed
process held is free again soon.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from math import inf
from typing import Final
from uuid import UUID, uuid4

import structlog
from sqlalchemy import delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.training.metering.caps import read_limits, take_turns
from services.training.tables import OpenStream
from shared.database import Sessions, tenant_transaction
from shared.errors import Problem
from shared.outage import DatabaseErrors

LEASE: Final = timedelta(seconds=30)
RENEW_SECONDS: Final = 10.0
RETRY_SECONDS: Final = 5
TELL: Final = text("SELECT tell_streams(:held, :closed, :lease)")

log = structlog.get_logger()


@dataclass(slots=True)
class Streams:
    """Those of one process: when each was opened, until it is held, and which have ended."""

    engine: AsyncEngine
    sessions: Sessions
    lease: timedelta = LEASE
    renew_seconds: float = RENEW_SECONDS
    _seen: dict[UUID, float] = field(default_factory=dict)
    _closed: set[UUID] = field(default_factory=set)
    _nudged: asyncio.Event = field(default_factory=asyncio.Event)

    async def open(self, tenant_id: UUID) -> UUID:
        """A stream more of the tenant; 429 `too_many_streams` where it has as many as it may."""
        stream = uuid4()
        async with tenant_transaction(self.sessions, tenant_id) as session:
            most = (await read_limits(session)).streams
            await take_turns(session)
            await session.execute(delete(OpenStream).where(OpenStream.open_until < func.now()))
            if (await session.scalar(select(func.count()).select_from(OpenStream)) or 0) >= most:
                raise _too_many(most)
            session.add(
                OpenStream(tenant_id=tenant_id, id=stream, open_until=func.now() + self.lease)
            )
        self._seen[stream] = time.monotonic()
        return stream

    @contextmanager
    def holding(self, stream: UUID) -> Iterator[None]:
        """It is open as long as the context is, however slowly it is read."""
        self._seen[stream] = inf
        try:
            yield
        finally:
            self.close(stream)

    def close(self, stream: UUID) -> None:
        """It has ended; twice is no error. Waits for nothing: its task may be cancelled."""
        if self._seen.pop(stream, None) is not None:
            self._closed.add(stream)
            self._nudged.set()

    async def run(self) -> None:
        """Tell the database, for ever."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.renew_seconds):
                    await self._nudged.wait()
            self._nudged.clear()
            await self._tell()

    async def _tell(self) -> None:
        oldest = time.monotonic() - self.lease.total_seconds()
        for stream in [each for each, seen in self._seen.items() if seen < oldest]:
            self.close(stream)  # it was never held
        if not (self._seen or self._closed):
            return
        closed = set(self._closed)
        values = {"held": list(self._seen), "closed": list(closed), "lease": self.lease}
        at_once = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        try:
            async with at_once.connect() as connection:
                await connection.execute(TELL, values)
        except DatabaseErrors as error:
            log.warning("streams_not_told", error=str(error))
        else:
            self._closed -= closed


def _too_many(most: int) -> Problem:
    return Problem(
        429,
        "too_many_streams",
        f"{most} streams are open already: close one",
        headers={"Retry-After": str(RETRY_SECONDS)},
    )
