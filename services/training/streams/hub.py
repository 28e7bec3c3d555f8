"""Everybody of one API process who watches a job, and the tails that are kept for them."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import Context
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random
from typing import Final
from uuid import UUID

import structlog
from starlette.requests import HTTPConnection

from services.training.identity.standing import Standing
from services.training.pools import pool_limits
from services.training.settings import Settings
from services.training.streams.ending import Ending
from services.training.streams.log import Log
from services.training.streams.pages import Pages
from services.training.streams.tail import Tail
from services.training.streams.telemetry import LOGS_FOLLOWED, STREAMS_CLOSED, STREAMS_OPEN
from services.training.streams.watcher import Watcher, Write
from shared.database import Sessions, make_engine, make_sessions
from shared.doorbell import Listener
from shared.roles import API

POLL_SECONDS: Final = 3.0
READERS: Final = 2
READER_PATIENCE_SECONDS: Final = 5.0
GRACE_SECONDS: Final = 10.0
"""So long a log is followed on when nobody watches it: who was cut off comes back."""
LEAVE_SECONDS: Final = 5.0
SHORTEST_LIFE: Final = 0.75
"""Of the lifetime that a stream may have; each has its own, so that not all come back at once."""

log = structlog.get_logger()


@dataclass(slots=True)
class Hub:
    """One tail for each log that is watched, however many watch it. `lifetime`: of a stream at
    most, in seconds."""

    sessions: Sessions
    listener: Listener
    lifetime: float
    jitter: Random
    poll_seconds: float = POLL_SECONDS
    _pages: Pages = field(default_factory=Pages)
    _tails: dict[tuple[UUID, UUID], Tail] = field(default_factory=dict)
    _followers: set[asyncio.Task[None]] = field(default_factory=set)
    _watchers: set[Watcher] = field(default_factory=set)
    _leaving: bool = False
    _all_left: asyncio.Event = field(default_factory=asyncio.Event)

    @contextmanager
    def watch(
        self,
        kind: str,
        tenant_id: UUID,
        job_id: UUID,
        since: int,
        standing: Standing,
        write: Write | None = None,
    ) -> Iterator[Watcher]:
        """Somebody who may watch the job and has seen everything up to `since`: until they leave,
        their `standing` ends, or this process does. What comes while they wait is written, where
        it can be, by `write`."""
        tail = self._tail_of(tenant_id, job_id, since)
        watcher = Watcher(kind, tail, since, write)
        tail.watchers.add(watcher)
        self._watchers.add(watcher)
        STREAMS_OPEN.labels(kind).inc()
        life = self.lifetime * (1 - (1 - SHORTEST_LIFE) * self.jitter.random())
        timer = asyncio.get_running_loop().call_later(life, watcher.end, Ending.EXPIRED)
        standing.then(partial(watcher.end, Ending.REFUSED))
        if self._leaving:
            watcher.end(Ending.RESTARTING)
        try:
            yield watcher
        finally:
            timer.cancel()
            STREAMS_OPEN.labels(kind).dec()
            STREAMS_CLOSED.labels((watcher.ending or Ending.GONE).label).inc()
            self._leave(tail, watcher)

    async def leave(self) -> None:
        """End every stream, because this process does; returns once they have, or after a while."""
        self._leaving = True
        for watcher in self._watchers:
            watcher.end(Ending.RESTARTING)
        if self._watchers:
            with suppress(TimeoutError):
                async with asyncio.timeout(LEAVE_SECONDS):
                    await self._all_left.wait()

    def end_tenant(self, tenant_id: UUID) -> None:
        """The tenant is no more: its streams end, and nothing of its logs stays here."""
        for (owner, _), tail in list(self._tails.items()):
            if owner == tenant_id:
                tail.end(Ending.ERASED)
                self._drop(tail)
        self._pages.end_tenant(tenant_id)

    async def close(self) -> None:
        """Follow nothing any more."""
        for follower in self._followers:
            follower.cancel()
        await asyncio.gather(*self._followers, return_exceptions=True)

    def _tail_of(self, tenant_id: UUID, job_id: UUID, since: int) -> Tail:
        tail = self._tails.get((tenant_id, job_id))
        if tail is None:
            of = Log(self.sessions, tenant_id, job_id)
            tail = Tail(of, self._pages, self.listener, self.jitter, self.poll_seconds)
            self._tails[tenant_id, job_id] = tail
            # Not in the context of who came first: that one has a deadline, and an id in the log.
            tail.follower = asyncio.create_task(tail.follow(since), context=Context())
            self._followers.add(tail.follower)
            tail.follower.add_done_callback(partial(self._look_at, tail))
            LOGS_FOLLOWED.inc()
        return tail

    def _leave(self, tail: Tail, watcher: Watcher) -> None:
        self._watchers.discard(watcher)
        if self._leaving and not self._watchers:
            self._all_left.set()
        tail.watchers.discard(watcher)
        if not tail.watchers:
            asyncio.get_running_loop().call_later(GRACE_SECONDS, self._drop_unwatched, tail)

    def _drop_unwatched(self, tail: Tail) -> None:
        if not tail.watchers:
            self._drop(tail)

    def _drop(self, tail: Tail) -> None:
        key = (tail.log.tenant_id, tail.log.job_id)
        if self._tails.get(key) is tail:
            del self._tails[key]
            LOGS_FOLLOWED.dec()
        tail.follower.cancel()

    def _look_at(self, tail: Tail, follower: asyncio.Task[None]) -> None:
        """It has ended with its log, or was cancelled; or else it failed, and whoever comes back
        begins anew."""
        self._followers.discard(follower)
        if not follower.cancelled() and (error := follower.exception()) is not None:
            log.error("follower_failed", job_id=str(tail.log.job_id), exc_info=error)
            tail.end(Ending.BROKEN)
            self._drop(tail)


@asynccontextmanager
async def open_hub(settings: Settings, listener: Listener) -> AsyncIterator[Hub]:
    """With connections of its own: requests that keep theirs busy hold up no stream."""
    limits = replace(
        pool_limits(settings),
        size=READERS,
        max_overflow=READERS,
        timeout=READER_PATIENCE_SECONDS,
        pre_ping=False,  # a read that fails is made again
    )
    engine = make_engine(
        settings.database_url.get_secret_value(), API, limits, "morrow-api-streams"
    )
    jitter = Random()  # noqa: S311 - spreads polls and lifetimes, guards nothing
    sessions = make_sessions(engine, settings.longest_idle)
    hub = Hub(sessions, listener, settings.stream_lifetime_seconds, jitter)
    try:
        yield hub
    finally:
        await hub.close()
        await engine.dispose()


def hub_of(connection: HTTPConnection) -> Hub:
    hub: Hub = connection.app.state.hub
    return hub
