"""The follower of one log, for all of a process who watch it.

It subscribes to the doorbell before it reads, so nothing falls between; a ring only says when to
read again, and a slow poll reads even if none was heard. What a read brings is written out once.
Where it fails, the next one begins at the same event: the window says which.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING, Final

import structlog

from services.training.jobs.events import EVENTS_CHANNEL, MOST_EVENTS
from services.training.streams.ending import Ending
from services.training.streams.log import Log, ReadErrors
from services.training.streams.pages import Pages
from services.training.streams.telemetry import (
    EVENTS_SENT,
    LOG_READS,
    READS_FAILED,
    STREAM_LAG,
)
from services.training.streams.told import Told, frames_of
from services.training.streams.window import Window, beginning, chunk_of, end_of_page
from shared.doorbell import Listener, wait_for_ring

if TYPE_CHECKING:
    from services.training.streams.watcher import Watcher

RETRY_SECONDS: Final = 0.25
MOST_FAILED: Final = 8
"""Reads in a row, each of which is waited longer after; after the first not at all, for it may
have met a connection that has been dead for long."""
SPREAD: Final = 0.25
"""Polls and retries come up to so much of their time earlier: else all of them come at once after
each loss of the listening connection."""

log = structlog.get_logger()


class Tail:
    """The window of a log, the watchers it is kept for, and whether the log has its last event.
    `follower` is the task that runs `follow`."""

    follower: asyncio.Task[None]

    def __init__(
        self, of: Log, pages: Pages, listener: Listener, jitter: Random, poll_seconds: float
    ) -> None:
        self.log = of
        self.watchers: set[Watcher] = set()
        self.has_ended = False
        self.began_at = 0
        """The newest event of its first read."""
        self._window: Window | None = None
        self._pages = pages
        self._listener = listener
        self._jitter = jitter
        self._poll_seconds = poll_seconds

    @property
    def last(self) -> int | None:
        """The newest event that it knows; None before its first read."""
        return None if self._window is None else self._window.last

    async def follow(self, since: int) -> None:
        """Until the log has ended. `since`: what whoever came first has seen."""
        failed = 0
        async with self._listener.subscribe(EVENTS_CHANNEL, str(self.log.job_id)) as rung:
            while not self.has_ended:
                rung.clear()
                try:
                    more = await self._read_on(since)
                except ReadErrors as error:
                    READS_FAILED.inc()
                    log.warning("log_unread", error=str(error) or type(error).__name__)
                    await asyncio.sleep(self._soon(min(failed, MOST_FAILED) * RETRY_SECONDS))
                    failed += 1
                    continue
                failed = 0
                if not (more or self.has_ended):
                    await wait_for_ring(rung, self._soon(self._poll_seconds))

    async def after(self, seq: int) -> Sequence[Told]:
        """The next of the events after `seq`, from the window or the log; none where none is known
        so far. `ReadErrors` where the log had to be asked, and could not be."""
        while (window := self._window) is not None and seq + 1 < window.first:
            page = await self._pages.around(self.log, seq)
            found = [told for told in page if told.seq > seq]
            if found:
                return chunk_of(found, 0)
            seq = min(end_of_page(seq), window.first - 1)  # of a log that was kept long enough
        return () if window is None else window.after(seq)

    async def _read_on(self, since: int) -> bool:
        """Whether there may be more to read at once."""
        LOG_READS.labels("follow").inc()
        if self._window is None:
            self.began_at = await self.log.last_seq()
            self._window = Window(beginning(since, self.began_at))
        found = await self.log.after(self._window.last, MOST_EVENTS)
        self._window.add(found.told)
        self.has_ended = found.has_ended
        if found.gone:
            self.end(Ending.ERASED)
        elif found.told or found.has_ended:
            self.wake(found.told)
        return len(found.told) == MOST_EVENTS

    def end(self, ending: Ending) -> None:
        """For all who watch."""
        for watcher in list(self.watchers):
            watcher.end(ending)

    def wake(self, told: Sequence[Told]) -> None:
        """Those who wait for just these are sent them; the others see to themselves."""
        frames = frames_of(told) if len(chunk_of(told, 0)) == len(told) else b""
        taken = Counter[str]()
        for watcher in self.watchers:
            takes = bool(frames) and watcher.take(told, frames)
            taken[watcher.kind] += takes
            if not takes or self.has_ended:
                watcher.woken.set()
        for kind, count in taken.items():
            EVENTS_SENT.labels(kind).inc(count * len(told))
        # Once for all: to note each would take as long as to write to them.
        if taken.total() and told[0].seq > self.began_at:
            STREAM_LAG.observe(max(0.0, time.time() - told[0].at))

    def _soon(self, seconds: float) -> float:
        return seconds * (1 - SPREAD * self._jitter.random())
