"""A listener that no longer hears knows it, whatever became of its connection; and who may have
missed a ring is woken."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from shared.doorbell.listener import ANSWER_SECONDS, PROBE_SECONDS
from shared.postgres import RunningPostgres
from shared.roles import API
from tests.conftest import Database
from tests.cut_wire import Wire, wire_to
from tests.doorbell.ends import (
    CHANNEL,
    Ends,
    Line,
    doorbell,
    doorbell_on,
    heard,
    kill,
    ring_from_elsewhere,
    told,
    until,
)
from tests.pgbouncer import Pooler, find_pgbouncer, running_pooler

Strike = Callable[[Database, Ends, Wire], AbstractAsyncContextManager[None]]
UNPROBED = 3600.0
UP, RECONNECTS = "morrow_listener_up", "morrow_listener_reconnects_total"


@pytest.fixture
def pooler(pytestconfig: pytest.Config, postgres_server: RunningPostgres) -> Iterator[Pooler]:
    program = find_pgbouncer(Path(pytestconfig.cache.mkdir("pgbouncer")))
    with running_pooler(program, postgres_server) as running:
        yield running


@asynccontextmanager
async def killed(database: Database, ends: Ends, wire: Wire) -> AsyncIterator[None]:
    await kill(database, ends.listeners_line.backends[-1])
    yield


@asynccontextmanager
async def frozen(database: Database, ends: Ends, wire: Wire) -> AsyncIterator[None]:
    ends.listeners_line.freeze()
    yield


@asynccontextmanager
async def swallowed(database: Database, ends: Ends, wire: Wire) -> AsyncIterator[None]:
    wire.cut()
    yield
    wire.mend()


def test_silence_is_noticed_within_five_seconds() -> None:
    assert PROBE_SECONDS + ANSWER_SECONDS < 5


@pytest.mark.parametrize(
    ("struck", "why", "probe_after"),
    [
        (killed, "the server ended the connection", UNPROBED),
        (frozen, "nothing was heard for 3 s", PROBE_SECONDS),
        (swallowed, "nothing was heard for 3 s", PROBE_SECONDS),
    ],
)
async def test_who_falls_deaf_says_so_and_wakes_everybody_once_it_hears_again(
    database: Database, tmp_path: Path, struck: Strike, why: str, probe_after: float
) -> None:
    async with (
        wire_to(database.api_dsn, tmp_path) as (wire, dsn),
        doorbell(database, dsn, probe_after) as ends,
        ends.listener.subscribe(CHANNEL, "a") as rung,
    ):
        await until(lambda: ends.listener.hears)
        assert await heard(rung)
        assert told(UP) == 1
        reconnects = told(RECONNECTS)
        ends.listeners_line.may_connect.clear()
        with capture_logs() as logs:
            async with struck(database, ends, wire):
                await until(lambda: bool(logs))
            assert why in logs[0]["error"]
            assert not ends.listener.hears
            assert told(UP) == 0
            await ring_from_elsewhere(database, "a")
            await asyncio.sleep(0.2)
            assert not rung.is_set()
        ends.listeners_line.may_connect.set()
        assert await heard(rung)
        await until(lambda: ends.listener.hears)
        assert (told(UP), told(RECONNECTS)) == (1, reconnects + 1)
        rung.clear()
        ends.bell.ring(CHANNEL, "a")
        assert await heard(rung)


async def test_who_hears_is_left_alone_in_silence_and_in_noise(database: Database) -> None:
    async with doorbell(database) as ends, ends.listener.subscribe(CHANNEL, "a") as rung:
        await until(lambda: ends.listener.hears)
        for pause in [0.01] * 50 + [1.5 * PROBE_SECONDS]:
            await ring_from_elsewhere(database, "a")
            assert await heard(rung)
            await asyncio.sleep(pause)
            assert ends.listener.hears
        assert len(ends.listeners_line.backends) == 1


async def test_behind_a_pooler_that_lends_its_sessions_nothing_is_heard_and_that_is_known(
    database: Database, pooler: Pooler
) -> None:
    """The connection answers, and LISTEN was granted: to a session that others use now."""
    async with (
        doorbell(database, listens_at=pooler.url(API, database.name)) as ends,
        ends.listener.subscribe(CHANNEL, "a") as rung,
    ):
        assert await heard(rung)
        ends.bell.ring(CHANNEL, "a")
        before = told(RECONNECTS)
        while told(RECONNECTS) == before:
            assert not ends.listener.hears
            await asyncio.sleep(0.01)
        assert await heard(rung)  # by the new connection
        assert told(UP) == 0


@pytest.mark.parametrize("is_frozen", [False, True])
async def test_a_bell_that_is_cut_off_rings_later_and_no_listener_takes_the_blame(
    database: Database, is_frozen: bool
) -> None:
    async with doorbell(database) as ends, ends.listener.subscribe(CHANNEL, "a") as rung:
        await until(lambda: ends.listener.hears)
        assert await heard(rung)
        if is_frozen:
            ends.bells_line.freeze()
        else:
            await kill(database, ends.bells_line.backends[-1])
        ends.bell.ring(CHANNEL, "a")
        assert await heard(rung)
        assert len(ends.bells_line.backends) == 2
        assert len(ends.listeners_line.backends) == 1
        assert ends.listener.hears


async def test_neither_end_waits_for_ever_for_a_connection_that_never_comes_about(
    database: Database,
) -> None:
    bells, listeners = Line(database.api_dsn), Line(database.api_dsn)
    listeners.at_birth = [listeners.freeze]
    bells.may_connect.clear()
    async with doorbell_on(bells, listeners) as ends:
        await until(lambda: bool(listeners.backends))
        bells.may_connect = asyncio.Event()  # the first attempt hangs, the next does not
        bells.may_connect.set()
        await until(lambda: ends.listener.hears)
        assert len(listeners.backends) == 2


async def test_what_is_rung_before_a_new_connection_listens_is_not_missed(
    database: Database, tmp_path: Path
) -> None:
    async with wire_to(database.api_dsn, tmp_path) as (wire, dsn):
        bells, listeners = Line(database.api_dsn), Line(dsn, at_birth=[wire.cut])
        async with (
            doorbell_on(bells, listeners) as ends,
            ends.listener.subscribe(CHANNEL, "a") as rung,
        ):
            await until(lambda: bool(listeners.backends))
            await asyncio.sleep(0.05)
            rung.clear()
            await ring_from_elsewhere(database, "a")
            wire.mend()
            assert await heard(rung)
