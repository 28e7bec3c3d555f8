"""Session advisory locks on one direct connection: the cheap early refusal, and what operators
see in `pg_locks`. They protect nothing by themselves; the fence does.

When the connection is lost, every lock on it is gone and another worker may be inside within
milliseconds: whoever holds one is cancelled with `LockLost`.
"""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import asyncpg
import structlog

from services.training.queue.telemetry import LOCK_SECONDS
from shared.doorbell import LOST, Connect

LOCK = "SELECT pg_try_advisory_lock(hashtextextended($1, 0))"
UNLOCK = "SELECT pg_advisory_unlock(hashtextextended($1, 0))"
SILENCE = "SELECT set_config('idle_session_timeout', $1, false)"
ANSWER_SECONDS = 5.0
SIGNS_OF_LIFE = 4  # within the silence that the server bears

log = structlog.get_logger()
T = TypeVar("T")

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]


class LockBusy(Exception):
    """Somebody else holds it."""


class LockLost(Exception):
    """The connection that held it, or was to, is gone or cannot be had."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock, and on which of the connections that the worker has had."""

    task: "asyncio.Task[object]"
    connection: "Connection"


class AdvisoryLocks:
    """Locks of one worker. `run` it, `hold` names, `close` it in the end."""

    def __init__(self, connect: Connect, silence: timedelta) -> None:
        """The server ends the connection after `silence` without a sign of life, so that a frozen
        worker keeps its locks no longer than its leases."""
        self._connect = connect
        self._silence = silence
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._one_at_a_time = asyncio.Lock()
        self._taken: set[str] = set()
        self._holders: dict[str, Holder] = {}
        self._lost: set[str] = set()

    async def run(self) -> None:
        """Give signs of life until cancelled."""
        while True:
            await asyncio.sleep(self._silence.total_seconds() / SIGNS_OF_LIFE)
            with contextlib.suppress(LockLost):  # what follows from it is `_lose_all`'s
                await self._give_sign()

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[None]:
        """Hold `name` while the body runs; `LockBusy` at once if it cannot be had, `LockLost`
        out of the body if the connection dies meanwhile."""
        holder = asyncio.current_task()
        assert holder is not None
        if name in self._taken:  # the server would give its own lock to this session once more
            raise LockBusy(name)
        self._taken.add(name)
        try:
            await _through(self._lock(name, holder))
            yield
        except asyncio.CancelledError:
            if name in self._lost and holder.uncancel() == 0:
                raise LockLost(name) from None
            raise
        finally:
            try:
                await self._let_go(name)
            finally:
                self._taken.discard(name)

    async def close(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.close(timeout=ANSWER_SECONDS)

    async def _lock(self, name: str, holder: "asyncio.Task[object]") -> None:
        with _timed():
            await self._lock_now(name, holder)

    async def _lock_now(self, name: str, holder: "asyncio.Task[object]") -> None:
        async with self._one_at_a_time:
            try:
                connection = await self._connected()
            except LOST as error:
                raise LockLost(name) from error
            if not await _ask(connection, LOCK, name):
                raise LockBusy(name)
            if connection.is_closed():
                raise LockLost(name)
            self._holders[name] = Holder(holder, connection)

    async def _let_go(self, name: str) -> None:
        held = self._holders.pop(name, None)
        if name in self._lost:
            self._lost.discard(name)
        elif held is not None and not await _through(self._unlock(name, held.connection)):
            log.error("advisory_unlock_refused", lock=name)

    async def _unlock(self, name: str, connection: "Connection") -> bool:
        async with self._one_at_a_time:
            if connection.is_closed():
                return True  # the lock went with it
            try:
                return await _ask(connection, UNLOCK, name)
            except LockLost:
                return True

    async def _give_sign(self) -> None:
        async with self._one_at_a_time:
            if self._connection is not None and not self._connection.is_closed():
                await _ask(self._connection, "SELECT $1 = ''", "")

    async def _connected(self) -> "Connection":
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._new_connection()
            self._connection.add_termination_listener(self._lose_all)
        return self._connection

    async def _new_connection(self) -> "Connection":
        connection = await self._connect()
        milliseconds = round(self._silence.total_seconds() * 1000)
        try:
            await connection.execute(SILENCE, str(milliseconds), timeout=ANSWER_SECONDS)
            _notice_silence(connection, milliseconds // SIGNS_OF_LIFE)
        except BaseException:
            connection.terminate()
            raise
        return connection

    def _lose_all(self, connection: object) -> None:
        lost = [name for name, held in self._holders.items() if held.connection is connection]
        if connection is self._connection or lost:
            log.warning("lock_connection_lost", locks=len(lost))
        for name in lost:
            self._lost.add(name)
            self._holders[name].task.cancel()


@contextlib.contextmanager
def _timed() -> Iterator[None]:
    """Count how long it took to have a lock, or to be told that it cannot be had."""
    began, how = time.monotonic(), "had"
    try:
        yield
    except LockBusy:
        how = "busy"
        raise
    except LockLost:
        how = "lost"
        raise
    finally:
        LOCK_SECONDS.labels(how).observe(time.monotonic() - began)


def _notice_silence(connection: "Connection", milliseconds: int) -> None:
    """Have the kernel end a connection over a network whose other end acknowledges nothing for so
    long: asyncpg takes no such option."""
    end: socket.socket = connection._transport.get_extra_info("socket")  # type: ignore[attr-defined]
    if end.family in (socket.AF_INET, socket.AF_INET6):
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)


async def _ask(connection: "Connection", question: str, name: str) -> bool:
    """The answer; where none comes nobody knows what is locked, so all of it is let go."""
    try:
        answer: bool = await connection.fetchval(question, name, timeout=ANSWER_SECONDS)
    except LOST as error:
        connection.terminate()
        raise LockLost(name) from error
    return answer


async def _through(steps: Coroutine[object, object, T]) -> T:
    """What `steps` return, taken to their end even if cancelled meanwhile: a lock whose answer was
    not awaited would stay. The cancellation goes on afterwards."""
    task = asyncio.ensure_future(steps)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        task.exception()
        raise cancelled
    return task.result()
