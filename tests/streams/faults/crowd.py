"""All who write and all who watch, in an event loop of their own: the faults are dealt outside."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from random import Random

from anyio.from_thread import BlockingPortal, start_blocking_portal

from tests.streams.faults.account import Account, Event
from tests.streams.faults.author import Author, Job, author_on
from tests.streams.faults.cast import EARLY_SECONDS, Cast, Seat, cast_on
from tests.streams.faults.watchers import Place, watch

THICK_EVENTS, THICK_MESSAGE = 1000, "x" * 1900
LOOK_SECONDS = 0.01


@dataclass
class Crowd:
    """Synchronous from outside. `doing` is what goes on; what fails there is raised by `check`."""

    portal: BlockingPortal
    author: Author
    cast: Cast
    random: Random
    stop: asyncio.Event
    accounts: list[Account] = field(default_factory=list)
    early: list[Account] = field(default_factory=list)
    doing: "list[Future[None]]" = field(default_factory=list)
    writing: "list[Future[None]]" = field(default_factory=list)

    def begin(self, watchers: int, slow: int, seconds: float) -> None:
        """Write on, and let them come."""
        write = partial(self.author.write, self.cast.thick, THICK_EVENTS, message=THICK_MESSAGE)
        self.portal.call(write)
        for job in (*self.cast.crowded, self.cast.thick):
            write_on = self.author.write_on
            telling = self.portal.start_task_soon(write_on, job, self._random(), self.stop)
            self.writing.append(telling)
        for seat in self.cast.crowd(watchers, slow, seconds, self.random):
            self._start(seat)
            if seat.after <= EARLY_SECONDS:
                self.early.append(seat.account)

    def stop_writing(self) -> None:
        self.portal.call(self.stop.set)
        for writer in self.writing:
            writer.result()

    def end_lonely(self) -> None:
        """Each of their jobs ends as soon as its watcher has been told what was before."""
        for seat in self.cast.loners():
            self._start(seat)
            self.doing.append(self.portal.start_task_soon(self._end_under, seat))

    def end_others(self) -> None:
        """What is left ends, and nobody rings."""
        for job in (*self.cast.crowded, self.cast.thick):
            self.portal.call(self.author.end, job)

    def check(self) -> None:
        for future in (*self.doing, *self.writing):
            if future.done():
                future.result()

    def not_there(self) -> list[Account]:
        """Of those who come at the beginning."""
        return [account for account in self.early if not account.connected]

    def incomplete(self) -> list[Account]:
        return [account for account in self.accounts if not account.complete]

    def lonely(self) -> list[Account]:
        """Those of the lonely who have not been told to the end."""
        jobs = {str(job.id) for job in self.cast.lonely}
        return [account for account in self.incomplete() if account.job in jobs]

    def read_logs(self) -> dict[str, list[Event]]:
        """Each job's whole log, as it is read page by page once all is over."""
        return {
            str(job.id): self.portal.call(_read_log, self.cast.places[job.tenant], job)
            for job in self.cast.jobs
        }

    def leave(self) -> None:
        for future in (*self.doing, *self.writing):
            future.cancel()

    def _start(self, seat: Seat) -> None:
        self.accounts.append(seat.account)
        self.doing.append(self.portal.start_task_soon(_come, seat, self._random()))

    def _random(self) -> Random:
        return Random(self.random.random())

    async def _end_under(self, seat: Seat) -> None:
        while not seat.account.last:
            await asyncio.sleep(LOOK_SECONDS)
        await self.author.end(seat.job)
        self.author.ring(seat.job)


@contextmanager
def crowd_on(dsn: str, host: str, port: int, seed: int) -> Iterator[Crowd]:
    """With jobs that nobody watches yet, on the API there; `dsn` is the author's."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(author_on(dsn)) as author,
        portal.wrap_async_context_manager(cast_on(host, port)) as cast,
    ):
        crowd = Crowd(portal, author, cast, Random(seed), portal.call(asyncio.Event))
        try:
            yield crowd
        finally:
            crowd.leave()


async def _come(seat: Seat, random: Random) -> None:
    await asyncio.sleep(seat.after)
    await watch(seat.way, seat.place, seat.account, random)


async def _read_log(place: Place, job: Job) -> list[Event]:
    events: list[Event] = []
    url = f"http://{place.path(str(job.id))}/events"
    while True:
        since = {"since": events[-1]["seq"] if events else 0}
        answer = await place.http.get(url, params=since, headers=place.headers)
        page = answer.raise_for_status().json()["items"]
        if not page:
            return events
        events += page
