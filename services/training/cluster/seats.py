"""The bridge's seats: actors of the cluster, one call at a time in each, followed to its end."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Final

import ray
from ray.exceptions import RayActorError, RayError

from services.training.cluster import messages
from services.training.cluster.errors import NO_ROOM, OTHER_RELEASE
from services.training.cluster.messages import Begin, Ended, Said, Turned
from services.training.cluster.seat import HEAR_SECONDS, News, Release, Seat
from services.training.cluster.shelf import Shelf

ROOM_SECONDS: Final = 300.0
"""How long a seat waits for a free processor, as an autoscaler takes to bring a node."""
SILENCE_SECONDS: Final = HEAR_SECONDS + 10.0
STOP_SECONDS: Final = 2.0
PLACINGS: Final = 3
"""Of a seat: for a while Ray places some on a node that is gone, which nothing was lost by."""
IDLE_SECONDS: Final = 60.0
"""How long a seat that nobody uses keeps its processor: what it has loaded is worth waiting for."""
ACTOR: Final[dict[str, Any]] = {
    "num_cpus": 1,  # and no memory: a child's limit is of addresses, far above what it uses
    "max_restarts": 0,
    "max_task_retries": 0,
    "scheduling_strategy": "SPREAD",
}


class OtherRelease(Exception):
    """A node does not run what the worker does."""


class NoRoom(Exception):
    """No processor of the cluster became free."""


class Seats:
    """`turned` is settled here where no seat of the cluster can be used."""

    def __init__(
        self, preload: list[str], writer: asyncio.StreamWriter, turned: asyncio.Future[Turned]
    ) -> None:
        self._preload = preload
        self._writer = writer
        self._turned = turned
        self._actor: Any = ray.remote(**ACTOR)(Seat)
        self._seats: dict[int, Any] = {}
        self._calls: dict[int, asyncio.Task[None]] = {}
        self._idle: dict[int, asyncio.TimerHandle] = {}
        self._shelf = Shelf(ray.put)
        self._sending = asyncio.Lock()
        self._kept: set[asyncio.Task[None]] = set()

    def begin(self, order: Begin) -> None:
        call = asyncio.create_task(self._run(order))
        self._calls[order.call] = call
        call.add_done_callback(lambda _: self._calls.pop(order.call, None))

    def stop(self, call: int) -> None:
        if call in self._calls:
            self._calls[call].cancel()

    def renew(self, seat: int) -> None:
        if seat in self._seats:
            self._seats[seat].renew.remote()

    def keep(self, task: asyncio.Task[None]) -> None:
        """The loop alone would forget it."""
        self._kept.add(task)
        task.add_done_callback(self._kept.discard)

    async def _run(self, order: Begin) -> None:
        """Follow the call, and tell how it ended."""
        if (timer := self._idle.pop(order.seat, None)) is not None:
            timer.cancel()
        try:
            ended = await self._follow(order)
        except asyncio.CancelledError:
            ended = Ended(order.call, "stopped", None, await self._stop(order.seat))
        except NoRoom as error:
            ended = Ended(order.call, "away", (NO_ROOM, str(error)), None)
        except OtherRelease as error:
            if not self._turned.done():
                self._turned.set_result(Turned(OTHER_RELEASE, str(error)))
            return
        except (RayError, ConnectionError, TimeoutError) as error:
            self._drop(order.seat)
            ended = Ended(order.call, "lost", _told(error), None)
        if order.seat in self._seats:
            loop = asyncio.get_running_loop()
            self._idle[order.seat] = loop.call_later(IDLE_SECONDS, self._drop, order.seat)
        messages.write(self._writer, ended)

    async def _follow(self, order: Begin) -> Ended:
        seat = self._seats.get(order.seat) or await self._take(order.seat)
        async with self._sending:
            beside = await _apart(self._shelf.beside, order.errand)
        parcel = order.errand.parcel
        await _ask(seat.begin.remote(parcel, order.seconds, parcel.beside, *beside))
        while True:
            news: News = await _ask(seat.hear.remote())
            messages.write(self._writer, Said(order.call, news.latest, news.cpu_seconds))
            if news.ended is not None:
                how, value = news.ended
                return Ended(order.call, how, value, news.cpu_seconds)

    async def _take(self, number: int) -> Any:
        """A seat where there is room; raises `OtherRelease` where it runs what we do not."""
        for left in reversed(range(PLACINGS)):
            seat = await _apart(self._actor.remote, self._preload)
            try:
                await _settle_in(seat)
            except RayActorError:
                self._end(seat)
                if not left:
                    raise
            except BaseException:
                self._end(seat)
                raise
            else:
                self._seats[number] = seat
                break
        return self._seats[number]

    async def _stop(self, number: int) -> float | None:
        """End what the seat is at: by asking it, else by ending it; its CPU-seconds, if it says."""
        seat = self._seats.get(number)
        if seat is None:
            return None
        try:
            cpu_seconds: float = await _ask(seat.stop.remote(), STOP_SECONDS)
        except (RayError, ConnectionError, TimeoutError):
            self._drop(number)
            return None
        return cpu_seconds

    def _drop(self, number: int) -> None:
        seat = self._seats.pop(number, None)
        if seat is not None:
            self._end(seat)

    def _end(self, seat: Any) -> None:
        """With all that runs in it, at once; nobody waits for it."""
        if ray.is_initialized():
            self.keep(asyncio.create_task(_kill(seat)))


async def _settle_in(seat: Any) -> None:
    try:
        there: Release = await _ask(seat.release.remote(), ROOM_SECONDS)
    except TimeoutError:
        raise NoRoom(f"no processor became free in {ROOM_SECONDS:g} s") from None
    except RayError as error:
        if "ModuleNotFoundError" in str(error):
            raise OtherRelease("a node has no Morrow, or none of this release") from None
        raise
    if there != Release.here():
        raise OtherRelease(f"a node runs {there}, this worker {Release.here()}")


async def _kill(seat: Any) -> None:
    with contextlib.suppress(RayError, ConnectionError, TimeoutError):
        await _apart(ray.kill, seat)


async def _apart(function: Callable[..., Any], *arguments: Any) -> Any:
    """The answer of what blocks in Ray's client, for ever where the head hangs."""
    async with asyncio.timeout(SILENCE_SECONDS):
        return await asyncio.to_thread(function, *arguments)


async def _ask(reference: Any, seconds: float = SILENCE_SECONDS) -> Any:
    """What the reference stands for; raises `TimeoutError` where nothing came."""
    async with asyncio.timeout(seconds):
        return await asyncio.wrap_future(reference.future())


def _told(error: Exception) -> str:
    said = " ".join(str(error).split())[:500]
    return said or f"it was silent for {SILENCE_SECONDS:g} s"
