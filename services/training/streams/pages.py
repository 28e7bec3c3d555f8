"""What of a log is older than its window, read once for all who ask at about the same time."""

import asyncio
from collections.abc import Sequence
from contextvars import Context
from dataclasses import dataclass
from functools import partial
from typing import Final
from uuid import UUID

from services.training.streams.log import Log
from services.training.streams.telemetry import LOG_READS
from services.training.streams.told import Told
from services.training.streams.window import PAGE
from shared.recent import Recent

MOST_KEPT: Final = 64
KEPT_SECONDS: Final = 30.0

Key = tuple[UUID, UUID, int]
Reading = asyncio.Task[Sequence[Told]]


@dataclass(frozen=True, slots=True)
class Page:
    """What is being read of a tenant's log, or has been."""

    tenant_id: UUID
    reading: Reading


class Pages:
    """Of one process. Every page lies before the window of its log, so it is whole, and no event
    will ever be added to it."""

    def __init__(self) -> None:
        self._recent: Recent[Key, Page] = Recent(MOST_KEPT, KEPT_SECONDS)

    async def around(self, of: Log, seq: int) -> Sequence[Told]:
        """The page with the event after `seq`; `ReadErrors` where it cannot be read now."""
        key = (of.tenant_id, of.job_id, seq // PAGE)
        page = self._recent.get(key)
        if page is None:
            page = self._begin(key, of)
            self._recent.note(key, page)
        return await asyncio.shield(page.reading)

    def end_tenant(self, tenant_id: UUID) -> None:
        """The tenant is no more."""
        self._recent.drop(lambda page: page.tenant_id == tenant_id)

    def _begin(self, key: Key, of: Log) -> Page:
        """Not in the caller's context: it is read for others, who have other deadlines."""
        reading = asyncio.create_task(_read(of, key[2]), context=Context())
        reading.add_done_callback(partial(self._look_at, key))
        return Page(of.tenant_id, reading)

    def _look_at(self, key: Key, reading: Reading) -> None:
        if reading.cancelled() or reading.exception() is not None:
            self._recent.forget(key)


async def _read(of: Log, number: int) -> Sequence[Told]:
    LOG_READS.labels("replay").inc()
    return (await of.after(number * PAGE, PAGE)).told
