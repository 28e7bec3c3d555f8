"""Advisory locks: refused while held, let go of in any case, and lost only with a bang."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

import asyncpg
import pytest
from asyncpg import Connection
from prometheus_client import REGISTRY

from services.training.queue.locks import SIGNS_OF_LIFE, AdvisoryLocks, LockBusy, LockLost
from shared.database import connect_directly
from shared.roles import WORKER
from tests.conftest import Database
from tests.cut_wire import network_to

LONG = timedelta(minutes=5)
APPLICATION = "locks-of-a-test"


@asynccontextmanager
async def worker(database: Database, silence: timedelta = LONG) -> AsyncIterator[AdvisoryLocks]:
    locks = AdvisoryLocks(
        partial(connect_directly, database.worker_dsn, WORKER, APPLICATION), silence
    )
    yield locks
    await locks.close()


@pytest.fixture
async def locks(database: Database) -> AsyncIterator[AdvisoryLocks]:
    async with worker(database) as opened:
        yield opened


@pytest.fixture
async def operator(database: Database) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(database.admin_dsn)
    yield connection
    await connection.close()


async def held(operator: Connection) -> int:
    """What an operator sees in pg_locks."""
    count: int = await operator.fetchval(
        "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database "
        "WHERE locktype = 'advisory' AND datname = current_database()"
    )
    return count


async def cut_off(operator: Connection) -> int:
    ended: int = await operator.fetchval(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1 "
        "AND datname = current_database()",
        APPLICATION,
    )
    return ended


async def test_a_lock_is_held_during_the_body_and_no_longer(
    locks: AdvisoryLocks, operator: Connection
) -> None:
    async with locks.hold("roll"):
        assert await held(operator) == 1
    assert await held(operator) == 0


async def test_a_lock_that_another_worker_holds_is_busy(
    database: Database, locks: AdvisoryLocks
) -> None:
    async with worker(database) as other, other.hold("roll"):
        with pytest.raises(LockBusy):
            async with locks.hold("roll"):
                pytest.fail("both are inside")
        async with locks.hold("bun"):
            pass
    async with locks.hold("roll"):
        pass


async def test_how_long_each_took_is_counted_by_what_came_of_it(
    database: Database, locks: AdvisoryLocks
) -> None:
    before = {how: asked(how) for how in ("had", "busy", "lost")}
    async with worker(database) as other, other.hold("roll"):
        with pytest.raises(LockBusy):
            async with locks.hold("roll"):
                pytest.fail("both are inside")
    since = {how: asked(how) - count for how, count in before.items()}
    assert since == {"had": 1, "busy": 1, "lost": 0}


def asked(how: str) -> float:
    return REGISTRY.get_sample_value("morrow_lock_seconds_count", {"how": how}) or 0.0


async def test_a_lock_that_the_same_worker_holds_is_busy_too(
    locks: AdvisoryLocks, operator: Connection
) -> None:
    async with locks.hold("roll"):
        with pytest.raises(LockBusy):
            async with locks.hold("roll"):
                pytest.fail("both are inside")
        assert await held(operator) == 1
    assert await held(operator) == 0


async def test_a_body_that_fails_lets_go(locks: AdvisoryLocks, operator: Connection) -> None:
    with pytest.raises(ValueError, match="burnt"):
        async with locks.hold("roll"):
            raise ValueError("burnt")
    assert await held(operator) == 0


async def test_a_lost_connection_ends_every_holder_with_lock_lost(
    locks: AdvisoryLocks, operator: Connection
) -> None:
    inside = asyncio.Barrier(3)

    async def work(name: str) -> None:
        async with locks.hold(name):
            await inside.wait()
            await asyncio.sleep(60)

    works = [asyncio.create_task(work(name)) for name in ("roll", "bun")]
    await inside.wait()
    assert await cut_off(operator) == 1
    ended = await asyncio.gather(*works, return_exceptions=True)
    assert [type(error) for error in ended] == [LockLost, LockLost]
    async with locks.hold("roll"):
        assert await held(operator) == 1


async def test_a_holder_that_is_cancelled_is_cancelled_and_lets_go(
    locks: AdvisoryLocks, operator: Connection
) -> None:
    inside = asyncio.Event()

    async def work() -> None:
        async with locks.hold("roll"):
            inside.set()
            await asyncio.sleep(60)

    working = asyncio.create_task(work())
    await inside.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert await held(operator) == 0


@pytest.mark.parametrize("cancels", [1, 2])
async def test_cancelled_at_whatever_moment_no_lock_stays(
    locks: AdvisoryLocks, operator: Connection, cancels: int
) -> None:
    async def work() -> None:
        async with locks.hold("roll"):
            await asyncio.sleep(0)

    async with locks.hold("warm"):
        pass
    for moment in range(40):
        working = asyncio.create_task(work())
        for _ in range(moment):
            await asyncio.sleep(0)
        for _ in range(cancels):
            working.cancel()
            await asyncio.sleep(0)
        await asyncio.wait([working])
        assert await held(operator) == 0, f"cancelled after {moment} turns"


async def test_a_worker_without_a_sign_of_life_loses_its_locks(
    database: Database, locks: AdvisoryLocks
) -> None:
    """It was frozen: nothing of it runs, and its connection stands."""
    inside = asyncio.Event()

    async def freeze(frozen: AdvisoryLocks) -> None:
        async with frozen.hold("roll"):
            inside.set()
            await asyncio.sleep(60)

    async with worker(database, timedelta(seconds=0.3)) as frozen:
        freezing = asyncio.create_task(freeze(frozen))
        await inside.wait()
        await get(locks, "roll")
        with pytest.raises(LockLost):
            await freezing


async def test_who_leaves_while_the_connection_is_made_anew_leaves_what_went_with_the_old(
    locks: AdvisoryLocks, operator: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    """The connection hangs, others wait for it, and it dies before the holder's turn comes."""
    entered, leave = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        async with locks.hold("roll"):
            entered.set()
            await leave.wait()

    working = asyncio.create_task(work())
    await entered.wait()
    backend = await operator.fetchval(
        "SELECT pid FROM pg_stat_activity WHERE application_name = $1", APPLICATION
    )
    os.kill(backend, signal.SIGSTOP)
    others = [asyncio.create_task(get(locks, name)) for name in ("bun", "cake")]
    await asyncio.sleep(0.05)
    leave.set()
    await asyncio.sleep(0.05)
    await cut_off(operator)
    os.kill(backend, signal.SIGCONT)
    await working
    lost, had = await asyncio.gather(*others, return_exceptions=True)
    assert isinstance(lost, LockLost)
    assert had is None
    assert "advisory_unlock_refused" not in caplog.text
    assert await held(operator) == 0


async def test_a_lock_without_a_database_is_lost(database: Database) -> None:
    """Not an error of the work's: it waits, and burns no attempt."""
    nowhere = database.worker_dsn.replace("/run&", "/nowhere&")
    assert nowhere != database.worker_dsn
    locks = AdvisoryLocks(partial(connect_directly, nowhere, WORKER, APPLICATION), LONG)
    with pytest.raises(LockLost):
        async with locks.hold("roll"):
            pytest.fail("nobody gave the lock")


async def get(locks: AdvisoryLocks, name: str) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                async with locks.hold(name):
                    return
            except LockBusy:
                await asyncio.sleep(0.05)


async def test_signs_of_life_keep_the_locks(database: Database, operator: Connection) -> None:
    async with worker(database, timedelta(seconds=0.4)) as alive:
        signs = asyncio.create_task(alive.run())
        async with alive.hold("roll"):
            await asyncio.sleep(1.5)
            assert await held(operator) == 1
        signs.cancel()
        await asyncio.wait([signs])


async def test_over_a_network_the_kernel_ends_the_connection_whose_other_end_is_silent(
    database: Database,
) -> None:
    """What is sent must be acknowledged before the server would give the locks to others."""
    made: list[Connection] = []
    async with network_to(database.worker_dsn) as dsn:

        async def connect() -> Connection:
            made.append(await connect_directly(dsn, WORKER, APPLICATION))
            return made[-1]

        locks = AdvisoryLocks(connect, LONG)
        async with locks.hold("roll"):
            [connection] = made
            end: socket.socket = connection._transport.get_extra_info("socket")  # type: ignore[attr-defined]
            milliseconds = end.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        await locks.close()
    assert timedelta(milliseconds=milliseconds) == LONG / SIGNS_OF_LIFE
