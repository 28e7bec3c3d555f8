"""What of a log is older than its window, read once for all who ask at about the same time."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from contextvars import Context
from functools import partial
from typing import Final
from uuid import UUID

from services.training.streams.log import Log
from services.training.streams.telemetry import LOG_READS
from services.training.streams.told import Told
from services.training.streams.window import PAGE

MOST_BYTES: Final = 4 * 2**20

Key = tuple[UUID, UUID, int]
Page = asyncio.Task[Sequence[Told]]
"""Being read, or read."""


class Pages:
    """Of one process: the latest, `MOST_BYTES` of them. Every page lies before the window of its
    log, so it is whole, and no event will ever be added to it."""

    def __init__(self) -> None:
        self._pages: OrderedDict[Key, Page] = OrderedDict()
        self._bytes = 0

    async def around(self, of: Log, seq: int) -> Sequence[Told]:
        """The page with the event after `seq`; `ReadErrors` where it cannot be read now."""
        key = (of.tenant_id, of.job_id, seq // PAGE)
        page = self._pages.get(key)
        if page is None:
            # Not in the caller's context: it is read for others, who have other deadlines.
            page = self._pages[key] = asyncio.create_task(_read(of, key[2]), context=Context())
            page.add_done_callback(partial(self._take, key))
        return await asyncio.shield(page)

    def end_tenant(self, tenant_id: UUID) -> None:
        """The tenant is no more."""
        for key in [key for key in self._pages if key[0] == tenant_id]:
            self._drop(key)

    def _take(self, key: Key, page: Page) -> None:
        """It has been read, if it could be, and is not one that was dropped meanwhile."""
        failed = page.cancelled() or page.exception() is not None
        if self._pages.get(key) is not page:
            return
        if failed:
            del self._pages[key]
            return
        self._bytes += _size(page)
        self._pages.move_to_end(key)
        while self._bytes > MOST_BYTES and (oldest := self._oldest()) != key:
            self._drop(oldest)

    def _oldest(self) -> Key:
        return next(key for key, page in self._pages.items() if page.done())

    def _drop(self, key: Key) -> None:
        page = self._pages.pop(key)
        if page.done():
            self._bytes -= _size(page)


async def _read(of: Log, number: int) -> Sequence[Told]:
    LOG_READS.labels("replay").inc()
    return (await of.after(number * PAGE, PAGE)).told


def _size(page: Page) -> int:
    return sum(len(told.text) for told in page.result())
