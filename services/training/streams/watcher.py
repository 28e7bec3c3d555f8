"""One who watches a job: a cursor into its tail, with no queue of its own."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final

from services.training.streams.ending import Ending
from services.training.streams.log import ReadErrors
from services.training.streams.tail import RETRY_SECONDS, Tail
from services.training.streams.telemetry import EVENTS_SENT, READS_FAILED, STREAM_LAG
from services.training.streams.told import Told

SEND_SECONDS: Final = 5.0
"""Who has not taken what was sent before within these is cut off."""

Write = Callable[[bytes], bool]
"""Writes frames at once, unless something waits to be written before them; whether it did."""


class Watcher:
    """Has been sent everything up to `seq`. Whoever is slow falls behind the tail's window and is
    told from the log, so nothing that has a `seq` is lost: progress is thinned to the latest by the
    worker, before it gets one."""

    def __init__(self, kind: str, tail: Tail, since: int, write: Write | None = None) -> None:
        self.kind = kind
        self.seq = since
        self.ending: Ending | None = None
        self.woken = asyncio.Event()
        self._tail = tail
        self._write = write
        self._came_at = tail.last

    async def next(self, patience: float | None = None) -> Sequence[Told]:
        """What comes next, to be `sent`. Nothing: the stream has its `ending`, or nothing came for
        so many seconds."""
        while self.ending is None:
            self.woken.clear()
            told = await self._after()
            if told and self.ending is None:
                return told
            if self._tail.has_ended and not told:
                self.end(Ending.FINISHED)
            elif not told and not await self._wait(patience):
                break
        return ()

    def take(self, told: Sequence[Told], frames: bytes) -> bool:
        """Whether this was sent at once, to one who has been sent all before it; the tail tells of
        it. To wake its task would take several times as long."""
        if self._write is None or self.ending is not None or told[0].seq != self.seq + 1:
            return False
        if not self._write(frames):
            return False
        self.seq = told[-1].seq
        return True

    def sent(self, told: Sequence[Told]) -> None:
        self.seq = told[-1].seq
        EVENTS_SENT.labels(self.kind).inc(len(told))
        came_at = self._tail.began_at if self._came_at is None else self._came_at
        if told[0].seq > came_at:
            STREAM_LAG.observe(max(0.0, time.time() - told[0].at))

    def end(self, ending: Ending) -> None:
        """It has `ending`, unless it has one already."""
        self.ending = self.ending or ending
        self.woken.set()

    async def _after(self) -> Sequence[Told]:
        while self.ending is None:
            try:
                return await self._tail.after(self.seq)
            except ReadErrors:
                READS_FAILED.inc()
                await asyncio.sleep(RETRY_SECONDS)
        return ()

    async def _wait(self, patience: float | None) -> bool:
        """Whether something happened."""
        try:
            async with asyncio.timeout(patience):
                await self.woken.wait()
        except TimeoutError:
            return False
        return True
