"""Room for one child at a node of the cluster, as `Slot` is room for one on this machine."""

import asyncio
import contextlib
import time
from typing import Any, Final

from services.training.cluster.errors import ClusterAway, ClusterLost
from services.training.cluster.link import Link
from services.training.cluster.messages import Ended, Renew, Stop, Word
from services.training.cluster.parcel import pack, unpack_whole
from services.training.cluster.telemetry import TASKS
from services.training.queue.children import ChildDied, ChildRaised, Report, Work

STOPPED_SECONDS: Final = 4.0


class ClusterSlot:
    """`run`, `cpu_seconds` and `heard_at` promise what those of `Slot` do.

    Beyond its errors there are `ClusterAway`, where nothing could be begun, `ClusterLost`, where
    what had begun is gone, and `ParcelDamaged`."""

    def __init__(self, link: Link, number: int) -> None:
        self._link = link
        self._number = number
        self._counted = 0.0
        self.cpu_seconds = 0.0
        self.heard_at = 0.0

    async def run(self, work: Work, argument: Any, on_progress: Report, seconds: float) -> Any:
        """The value of `work(argument, report)`, computed at a node within `seconds` of its
        beginning there. When cancelled the child is ended first; of a node that does not answer
        it ends by itself, and the fence guards against what it might have said."""
        await self._link.connect()
        errand = await asyncio.to_thread(pack, (work, argument))
        call, words = self._link.begin(self._number, errand, seconds)
        ended = None
        try:
            with TASKS.track_inprogress():
                ended = await self._hear(words, on_progress)
        finally:
            if ended is None:
                await self._stop(call, words)
            self._link.forget(call)
        return await asyncio.to_thread(_value, ended)

    def kill(self) -> None:
        """End the child, if there is one: the next call has a new one."""
        self._link.order(Renew(self._number))

    def close(self) -> None:
        """Nothing is left here once the link is closed."""

    async def _hear(self, words: asyncio.Queue[Word], on_progress: Report) -> Ended:
        while True:
            word = await words.get()
            self._count(word.cpu_seconds)
            self.heard_at = time.monotonic()
            if isinstance(word, Ended):
                return word
            if word.news is not None:
                on_progress(unpack_whole(word.news))

    async def _stop(self, call: int, words: asyncio.Queue[Word]) -> None:
        """And wait until it has ended there, or cannot be asked."""
        self._link.order(Stop(call))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOPPED_SECONDS):
                await self._hear(words, lambda _: None)

    def _count(self, used: float | None) -> None:
        """Of a new seat the count begins anew."""
        if used is not None:
            self.cpu_seconds += used - self._counted if used >= self._counted else used
        self._counted = used or 0.0


def _value(ended: Ended) -> Any:
    match ended.how:
        case "done":
            return unpack_whole(ended.value)
        case "raised":
            raise ChildRaised(*ended.value)
        case "died":
            raise ChildDied(*ended.value)
        case "away":
            raise ClusterAway(*ended.value)
        case _:
            raise ClusterLost(f"what ran on the cluster was lost: {ended.value}")
