"""A job's events to the end, and the job when it has ended."""

import json
import math
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Final, cast

from morrow.calls.training import get_job, read_events, stream_events
from morrow.errors import GaveUp, MorrowError
from morrow.following.place import Place
from morrow.following.server_sent import ServerSent
from morrow.link import Link
from morrow.schemas.training import Event, Job
from morrow.values import Id

SERVER_SENT: Final = "text/event-stream"
OPEN: Final = {"queued", "running"}

Missed = Callable[[MorrowError], None]


async def events(
    link: Link,
    job: Job | Id,
    *,
    since: int = 0,
    patience: float = 120.0,
    missed: Missed | None = None,
) -> AsyncGenerator[Event, None]:
    """Every event of a job after `since`, once and in order, up to `job.finished`.

    A stream that is cut, by whatever, is taken up after the last event; `missed` is told why the
    service could not be reached, each time that it is tried again. Raises `GaveUp` once that has
    lasted for `patience` seconds on end, and `Refused` where the service will not.
    """
    place = Place(_id_of(job), since, patience, link.retries, link.random)
    async with aclosing(_events(link, place, None, missed)) as followed:
        async for event in followed:
            yield event


async def wait(
    link: Link,
    job: Job | Id,
    *,
    within: float | None = None,
    patience: float = 120.0,
    told: Callable[[Event], None] | None = None,
) -> Job:
    """The job when it has ended, well or not: see its `status`. `told` of each event on the way.
    Raises `GaveUp` where that takes over `within` seconds; the job goes on."""
    job_id = _id_of(job)
    place = Place(job_id, 0, patience, link.retries, link.random)
    until = None if within is None else link.clock() + within
    async with aclosing(_events(link, place, until)) as followed:
        async for event in followed:
            if told is not None:
                told(event)
    return await link.answer(get_job(job_id))


async def _events(
    link: Link, place: Place, until: float | None, missed: Missed | None = None
) -> AsyncGenerator[Event, None]:
    while not place.finished:
        before, begun = place.seen, link.clock()
        try:
            async with aclosing(_stream(link, place, until)) as streamed:
                async for event in streamed:
                    yield event
            if place.seen == before:
                for event in await _polled(link, place):
                    yield event
            pause = place.pause(lasted=link.clock() - begun)
        except MorrowError as error:
            pause = place.pause_after(error, link.clock())
            if missed is not None:
                missed(error)
        if not place.finished:
            await link.wire.pause(min(pause, _left(link, place, until)))


async def _stream(link: Link, place: Place, until: float | None) -> AsyncGenerator[Event, None]:
    silence = min(link.silence, _left(link, place, until))
    async with link.opened(stream_events(place.job_id, place.seen), silence) as (answer, chunks):
        if not answer.headers.get("content-type", "").startswith(SERVER_SENT):
            return  # something in between knows no streams
        parser = ServerSent()
        async for chunk in chunks:
            place.heard()
            for data in parser.feed(chunk):
                event = place.take(cast("Event", json.loads(data)))
                if event is not None:
                    yield event
            if place.finished:
                return
            _left(link, place, until)


async def _polled(link: Link, place: Place) -> list[Event]:
    """What a stream that ended without a word did not tell. Of a job that had ended before, there
    is no more than that."""
    job = await link.answer(get_job(place.job_id))
    page = await link.answer(read_events(place.job_id, place.seen))
    if not page["items"] and job["status"] not in OPEN:
        place.finished = True
    return [new for event in page["items"] if (new := place.take(event)) is not None]


def _left(link: Link, place: Place, until: float | None) -> float:
    """The seconds that are left of the caller's; `GaveUp` where none are."""
    if until is None:
        return math.inf
    left = until - link.clock()
    if left <= 0:
        raise GaveUp("timed_out", f"job {place.job_id} has not ended in time", place.seen)
    return left


def _id_of(job: Job | Id) -> str:
    return job["id"] if isinstance(job, dict) else str(job)
