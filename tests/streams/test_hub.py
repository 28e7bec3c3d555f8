"""All who watch a job: told everything once, in order, of one reading, whatever fails meanwhile."""

import asyncio
import json
import math
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from functools import partial
from itertools import cycle
from random import Random
from uuid import UUID, uuid4

import pytest
from prometheus_client import REGISTRY

from benchmarks.stream_frames import Frames
from services.training.identity.standing import Standing
from services.training.jobs.events import (
    EVENTS_CHANNEL,
    MOST_EVENTS,
    EventType,
    NewEvent,
    append,
)
from services.training.jobs.schemas import TrainingRequest
from services.training.jobs.store import add_job
from services.training.streams.ending import Ending
from services.training.streams.hub import Hub
from services.training.streams.log import Log as StoredLog
from services.training.streams.log import Reading
from services.training.streams.pages import Pages
from services.training.streams.tail import Tail
from services.training.streams.watcher import Watcher, Write
from services.training.streams.window import CHUNK_BYTES, PAGE
from services.training.tables import Job
from shared.background import running
from shared.database import PoolLimits, Sessions, connect_directly, make_engine, make_sessions
from shared.database import tenant_transaction as transaction
from shared.doorbell import Bell, Listener
from shared.roles import API
from tests.conftest import Database, Tenant, execute
from tests.jobs.asking import PATIENCE_SECONDS

READERS = "test-streams"


class Log:
    """The log of one job, written as a worker does."""

    def __init__(self, sessions: Sessions, bell: Bell, tenant_id: UUID) -> None:
        self.sessions, self.bell, self.tenant_id = sessions, bell, tenant_id
        self.job_id = uuid4()

    async def begin(self) -> None:
        async with transaction(self.sessions, self.tenant_id) as session:
            await add_job(session, self.tenant_id, self.job_id, TrainingRequest())

    async def tell(self, count: int, message: str = "m", *, ring: bool = True) -> None:
        told = [NewEvent(EventType.PRODUCT_PROGRESS, message, percent=1.0)] * count
        async with transaction(self.sessions, self.tenant_id) as session:
            await append(session, self.job_id, told)
        if ring:
            self.bell.ring(EVENTS_CHANNEL, str(self.job_id))

    async def finish(self) -> None:
        async with transaction(self.sessions, self.tenant_id) as session:
            finished = [NewEvent(EventType.JOB_FINISHED, "done", percent=100.0)]
            await append(session, self.job_id, finished)
            job = await session.get(Job, (self.tenant_id, self.job_id))
            assert job is not None
            job.status = "succeeded"
        self.bell.ring(EVENTS_CHANNEL, str(self.job_id))


@pytest.fixture
def bell(database: Database) -> Bell:
    return Bell(partial(connect_directly, database.api_dsn, API, "test-bell"))


@pytest.fixture
async def log(sessions: Sessions, tenant: Tenant, bell: Bell) -> Log:
    made = Log(sessions, bell, tenant.id)
    await made.begin()
    return made


@pytest.fixture
async def hub(database: Database, bell: Bell) -> AsyncIterator[Hub]:
    """One that hears, and never looks by itself."""
    async with hearing(database, bell) as made:
        yield made


@asynccontextmanager
async def hearing(database: Database, bell: Bell, lifetime: float = 60) -> AsyncIterator[Hub]:
    engine = make_engine(database.api_dsn, API, PoolLimits(size=2), READERS)
    connect = partial(connect_directly, database.api_dsn, API, "test-listener")
    listener = Listener(connect, (EVENTS_CHANNEL,), bell, API)
    hub = Hub(make_sessions(engine), listener, lifetime, Random(7), poll_seconds=math.inf)
    async with running(listener.run(), bell.run()):
        yield hub
        await hub.close()
    await engine.dispose()


@contextmanager
def watching(hub: Hub, log: Log, since: int = 0, write: Write | None = None) -> Iterator[Watcher]:
    with hub.watch("test", log.tenant_id, log.job_id, since, Standing(), write) as watcher:
        yield watcher


async def read_all(watcher: Watcher) -> list[int]:
    """Everything until its ending."""
    seen = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        while told := await watcher.next():
            seen += [each.seq for each in told]
            watcher.sent(told)
    return seen


def read_up_to(watcher: Watcher, last: int) -> "asyncio.Task[list[int]]":
    async def read() -> list[int]:
        seen: list[int] = []
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not seen or seen[-1] < last:
                told = await watcher.next()
                seen += [each.seq for each in told]
                watcher.sent(told)
        return seen

    return asyncio.create_task(read())


def reads(why: str) -> float:
    return REGISTRY.get_sample_value("morrow_stream_log_reads_total", {"why": why}) or 0.0


async def test_however_many_watch_the_log_is_read_once(hub: Hub, log: Log) -> None:
    before = reads("follow")
    with ExitStack() as held:
        watchers = [held.enter_context(watching(hub, log)) for _ in range(100)]
        tasks = [read_up_to(watcher, 2) for watcher in watchers]
        await log.tell(1)
        assert await asyncio.gather(*tasks) == [[1, 2]] * 100
    assert reads("follow") - before <= 4  # at first, when listening began, when it was rung


async def test_a_crowd_that_begins_at_the_beginning_shares_what_is_read(hub: Hub, log: Log) -> None:
    await log.tell(5 * PAGE)
    before = reads("replay")
    with ExitStack() as held:
        watchers = [held.enter_context(watching(hub, log, since)) for since in range(50)]
        tasks = [read_up_to(watcher, 5 * PAGE + 1) for watcher in watchers]
        for since, seen in enumerate(await asyncio.gather(*tasks)):
            assert seen == list(range(since + 1, 5 * PAGE + 2))
    assert reads("replay") - before <= 5


async def test_who_falls_behind_the_window_is_told_from_the_log(hub: Hub, log: Log) -> None:
    """From amid a page, which others have read when it was not whole."""
    begun = 2 * PAGE + 50
    await log.tell(begun - 1)
    with watching(hub, log) as slow, watching(hub, log) as quick:
        await asyncio.gather(read_up_to(slow, begun), read_up_to(quick, begun))
        for _ in range(8):
            task = read_up_to(quick, quick.seq + PAGE)
            await log.tell(PAGE)
            await task
        await log.finish()
        assert await read_all(slow) == list(range(begun + 1, begun + 8 * PAGE + 2))
        assert slow.ending is Ending.FINISHED


async def test_what_is_rung_for_amid_a_read_is_read(hub: Hub, log: Log) -> None:
    async with hub.listener.subscribe(EVENTS_CHANNEL, str(log.job_id)) as heard:

        class Interrupted(StoredLog):
            async def after(self, seq: int, most: int) -> Reading:
                found = await super().after(seq, most)
                if seq == 0:
                    heard.clear()
                    await log.tell(1)
                    await heard.wait()
                return found

        stored = Interrupted(hub.sessions, log.tenant_id, log.job_id)
        tail = Tail(stored, Pages(), hub.listener, Random(7), math.inf)
        watcher = Watcher("test", tail, 0)
        tail.watchers.add(watcher)
        following = asyncio.create_task(tail.follow(0))
        try:
            assert await read_up_to(watcher, 2) == [1, 2]
        finally:
            following.cancel()


async def test_who_is_told_from_the_log_is_told_all_although_a_read_fails(
    hub: Hub, log: Log, database: Database
) -> None:
    last = 5 * PAGE + 1
    await log.tell(last - 1)
    with watching(hub, log, since=last - 1) as quick, watching(hub, log) as late:
        await read_up_to(quick, last)
        await execute(database.admin_dsn, "ALTER TABLE job_events RENAME TO away")
        reading = read_up_to(late, last)
        await asyncio.sleep(0.2)
        await execute(database.admin_dsn, "ALTER TABLE away RENAME TO job_events")
        assert await reading == list(range(1, last + 1))


async def test_more_than_one_read_brings_is_told_to_the_end(hub: Hub, log: Log) -> None:
    with watching(hub, log) as watcher:
        watcher.sent(await watcher.next())
        await log.tell(MOST_EVENTS + PAGE, ring=False)
        await log.finish()
        assert await read_all(watcher) == list(range(2, MOST_EVENTS + PAGE + 3))


async def test_what_is_written_while_it_subscribes_is_told(
    database: Database, hub: Hub, log: Log
) -> None:
    """A listener that hears nothing more: only a read that comes after the subscription finds what
    was rung for just before it."""

    class Late(Listener):
        @asynccontextmanager
        async def subscribe(self, channel: str, topic: str = "") -> AsyncIterator[asyncio.Event]:
            await log.tell(1)
            async with super().subscribe(channel, topic) as rung:
                yield rung

    hub.listener = Late(
        partial(connect_directly, database.api_dsn, API, "test-late"), (), log.bell, API
    )
    with watching(hub, log) as watcher:
        assert await read_up_to(watcher, 2) == [1, 2]


async def test_nothing_is_lost_when_a_read_fails(hub: Hub, log: Log, database: Database) -> None:
    kill = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        f"WHERE application_name = '{READERS}' AND datname = current_database()"
    )
    with watching(hub, log) as watcher:
        reading = asyncio.create_task(read_all(watcher))
        for _ in range(10):
            await execute(
                database.admin_dsn,
                "ALTER TABLE job_events RENAME TO away",  # the read fails, and is not to be made up
                kill,
            )
            log.bell.ring(EVENTS_CHANNEL, str(log.job_id))
            await asyncio.sleep(0.05)
            await execute(database.admin_dsn, "ALTER TABLE away RENAME TO job_events", kill)
            await log.tell(3, ring=False)
        await log.finish()
        assert await reading == list(range(1, 33))


async def test_what_was_rung_for_while_nobody_listened_is_told(
    hub: Hub, log: Log, database: Database
) -> None:
    """Without a poll: only that all are woken by a new connection finds it."""
    kill = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = 'test-listener' AND datname = current_database()"
    )
    with watching(hub, log) as watcher:
        await read_up_to(watcher, 1)
        await log.tell(1, ring=False)
        await execute(database.admin_dsn, kill)
        assert await read_up_to(watcher, 2) == [2]


async def test_a_stream_ends_with_its_standing(hub: Hub, log: Log) -> None:
    standing = Standing()
    with hub.watch("test", log.tenant_id, log.job_id, 1, standing) as watcher:
        standing.end()
        assert (await read_all(watcher), watcher.ending) == ([], Ending.REFUSED)
    with hub.watch("test", log.tenant_id, log.job_id, 1, standing) as late:
        assert (await read_all(late), late.ending) == ([], Ending.REFUSED)


async def test_all_are_told_that_the_process_ends_also_who_comes_meanwhile(
    hub: Hub, log: Log
) -> None:
    async def watch() -> Ending | None:
        with watching(hub, log, since=1) as watcher:
            assert await read_all(watcher) == []
            return watcher.ending

    tasks = [asyncio.create_task(watch()) for _ in range(3)]
    await asyncio.sleep(0)
    await hub.leave()
    assert await asyncio.gather(*tasks, watch()) == [Ending.RESTARTING] * 4


async def test_the_streams_of_an_erased_tenant_end(hub: Hub, log: Log) -> None:
    with watching(hub, log, since=1) as watcher:
        reading = asyncio.create_task(read_all(watcher))
        await asyncio.sleep(0)
        hub.end_tenant(log.tenant_id)
        assert (await reading, watcher.ending) == ([], Ending.ERASED)


async def test_a_stream_lasts_so_long_and_no_longer(
    database: Database, bell: Bell, log: Log
) -> None:
    async with hearing(database, bell, lifetime=0.2) as hub:
        with watching(hub, log, since=1) as watcher:
            assert (await read_all(watcher), watcher.ending) == ([], Ending.EXPIRED)


async def test_who_comes_after_the_end_is_told_all_and_let_go(hub: Hub, log: Log) -> None:
    await log.tell(PAGE + 5)
    await log.finish()
    for since in (0, PAGE, PAGE + 7, 10**6):
        with watching(hub, log, since) as watcher:
            assert await read_all(watcher) == list(range(since + 1, PAGE + 8))
            assert watcher.ending is Ending.FINISHED


async def test_a_patient_one_is_told_that_nothing_came(hub: Hub, log: Log) -> None:
    with watching(hub, log, since=1) as watcher:
        assert await watcher.next(0.01) == ()
        assert watcher.ending is None


@pytest.mark.parametrize("taken", [(True,), (False,), (True, False), (False, True, True)])
async def test_written_at_once_or_read_everything_is_told_once_and_in_order(
    hub: Hub, log: Log, taken: tuple[bool, ...]
) -> None:
    told: list[int] = []
    read: list[int] = []
    turns = cycle(taken)

    def write(frames: bytes) -> bool:
        if takes := next(turns):
            told.extend(json.loads(text)["seq"] for _, text in Frames().feed(frames))
        return takes

    async def read_on(watcher: Watcher) -> None:
        while found := await watcher.next():
            await asyncio.sleep(0.03)  # as sending takes a while, in which more comes
            told.extend(each.seq for each in found)
            read.extend(each.seq for each in found)
            watcher.sent(found)

    with watching(hub, log, write=write) as watcher:
        reading = asyncio.create_task(read_on(watcher))
        for _ in range(12):
            await log.tell(2)
            await asyncio.sleep(0.01)
        await log.finish()
        await asyncio.wait_for(reading, PATIENCE_SECONDS)
    assert told == list(range(1, 27))
    assert len(read) == 26 or True in taken
    assert len(read) < 26 or False in taken


async def test_what_is_written_at_once_is_no_more_than_a_chunk(hub: Hub, log: Log) -> None:
    written: list[bytes] = []

    def write(frames: bytes) -> bool:
        written.append(frames)
        return True

    with watching(hub, log, write=write) as watcher:
        reading = asyncio.create_task(read_all(watcher))
        await log.tell(3, "x" * 30_000)
        await log.finish()
        assert await reading == [1, 2, 3, 4, *([] if written else [5])]
    assert all(len(frames) < CHUNK_BYTES for frames in written)


async def test_nothing_is_written_to_one_whose_stream_has_its_ending(hub: Hub, log: Log) -> None:
    written: list[bytes] = []

    def write(frames: bytes) -> bool:
        written.append(frames)
        return True

    with watching(hub, log, 1) as other, watching(hub, log, 2, write) as watcher:
        await log.tell(1)
        assert await read_up_to(other, 2) == [2]
        watcher.end(Ending.REFUSED)
        await log.tell(1)
        assert await read_up_to(other, 3) == [3]
    assert written == []
