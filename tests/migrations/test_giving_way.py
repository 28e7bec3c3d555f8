"""A revision gives way to the traffic, is tried again, and tells who stood in its way."""

import asyncio
import re
from collections.abc import AsyncIterator
from random import Random
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from migrations import MigrationBlocked, Patience
from migrations.blockers import Watch
from migrations.steps import carry_through
from shared.database import service_url
from tests.conftest import Database, execute
from tests.migrations.chain import BRISK, upgrade, upgrade_apart

WAITS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'ALTER TABLE sales%'
"""
READS = "SELECT count(*) FROM sales"
COLUMNS = """
SELECT attrelid::regclass::text, attname FROM pg_attribute
WHERE attrelid IN ('sales'::regclass, 'products'::regclass) ORDER BY 1, 2
"""
DEFAULTS = """
SELECT count(*) FROM pg_attribute WHERE attrelid = 'products'::regclass
AND attname = 'shelf' AND atthasdef
"""
LONG = Patience(lock_seconds=0.4, first_pause=0.05, longest_pause=0.1, attempts=1000)


@pytest.fixture
async def admin(database: Database) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database.admin_dsn)
    yield connection
    await connection.close()


@pytest.fixture
async def reader(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """The API amid a long transaction that has read sales."""
    connection = await asyncpg.connect(
        database.api_dsn, server_settings={"application_name": "some till"}
    )
    await connection.execute(f"BEGIN; SET LOCAL app.tenant_id = '{uuid4()}'")
    await connection.execute(READS)
    yield connection
    await connection.close()


async def revision_of(admin: asyncpg.Connection) -> str:
    return await admin.fetchval("SELECT version_num FROM alembic_version")


async def test_nobody_queues_up_behind_a_migration_that_waits(
    database: Database, admin: asyncpg.Connection, reader: asyncpg.Connection
) -> None:
    going = asyncio.create_task(upgrade_apart(database.migrator_dsn, "9001", LONG))
    try:
        async with asyncio.timeout(60):
            while not await admin.fetchval(WAITS):
                await asyncio.sleep(0.01)
            await admin.fetch(READS)
        assert not going.done()
    finally:
        await reader.close()
    await going
    assert await revision_of(admin) == "9001"


async def test_who_never_goes_is_named_and_nothing_is_half_done(
    database: Database, admin: asyncpg.Connection, reader: asyncpg.Connection
) -> None:
    before = await admin.fetch(COLUMNS)
    pid = reader.get_server_pid()
    with pytest.raises(MigrationBlocked) as told:
        await upgrade_apart(database.migrator_dsn, "9001")
    assert "gave way 3 times, after 0.4 s each" in str(told.value)
    assert f"to pid {pid} (some till of morrow_api), whose statement only" in str(told.value)
    assert READS not in str(told.value)
    assert await revision_of(admin) == "0001"
    assert await admin.fetch(COLUMNS) == before


async def test_its_statement_is_told_to_a_login_that_may_see_it(
    database: Database, admin: asyncpg.Connection, reader: asyncpg.Connection
) -> None:
    login = f"some_migrator_{uuid4().hex}"
    try:
        await admin.execute(
            f"CREATE ROLE {login} LOGIN PASSWORD 'rabbit'; "
            f"GRANT morrow_owner, morrow_definer, pg_read_all_stats TO {login}"
        )
        admins = f"postgres:{database.server.passwords['postgres']}"
        dsn = database.admin_dsn.replace(admins, f"{login}:rabbit")
        with pytest.raises(
            MigrationBlocked, match=rf"idle in transaction, in .* s: {re.escape(READS)}\. Nothing"
        ):
            await upgrade_apart(dsn, "9001")
    finally:
        await admin.execute(f"DROP ROLE {login}")


async def test_what_was_carried_through_stays_and_it_goes_on_from_there(
    database: Database, admin: asyncpg.Connection
) -> None:
    other = await asyncpg.connect(database.admin_dsn)
    await other.execute("BEGIN; LOCK locations IN SHARE UPDATE EXCLUSIVE MODE")
    with pytest.raises(MigrationBlocked, match=f"pid {other.get_server_pid()} "):
        await upgrade_apart(database.migrator_dsn, "9003")
    assert await revision_of(admin) == "9002"
    assert await admin.fetchval(DEFAULTS) == 1  # what 9003 dropped before it was held up
    await other.close()
    await upgrade_apart(database.migrator_dsn, "9003")
    assert await revision_of(admin) == "9003"


async def test_what_runs_apart_waits_longer_and_may_be_tried_again(
    database: Database, admin: asyncpg.Connection, reader: asyncpg.Connection
) -> None:
    """An index that is made beside the traffic waits for every transaction that sees its table."""
    await reader.execute("ROLLBACK")
    await upgrade_apart(database.migrator_dsn, "9001")
    await reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
    brief = Patience(apart_seconds=0.3, attempts=2, first_pause=0.01)
    with pytest.raises(MigrationBlocked):
        await upgrade_apart(database.migrator_dsn, "9002", brief)
    left = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('sales_weighed')"
    assert await admin.fetchval(left) is False
    await reader.close()
    await upgrade_apart(database.migrator_dsn, "9002", brief)
    assert await admin.fetchval(left) is True


async def test_a_deadlock_is_tried_again_and_another_error_is_not(database: Database) -> None:
    await execute(database.admin_dsn, "CREATE SEQUENCE attempts_made")
    engine = create_async_engine(service_url(database.admin_dsn))
    try:
        async with engine.connect() as connection:
            assert await connection.run_sync(attempts_until_done, "40P01") == 3
            with pytest.raises(DBAPIError, match="planted"):
                await connection.run_sync(attempts_until_done, "23505")
    finally:
        await engine.dispose()


def attempts_until_done(connection: Connection, state: str) -> int:
    """The first two attempts end with an error of the server."""
    connection.exec_driver_sql("ALTER SEQUENCE attempts_made RESTART")
    connection.commit()

    def steps() -> None:
        connection.exec_driver_sql(
            "DO $$ BEGIN IF nextval('attempts_made') < 3 THEN "
            f"RAISE 'planted' USING ERRCODE = '{state}'; END IF; END $$"
        )

    carry_through(connection, steps, BRISK, Watch(0), Random(1))
    return connection.exec_driver_sql("SELECT last_value FROM attempts_made").scalar_one()


def test_the_pauses_grow_to_the_longest_and_are_never_in_step() -> None:
    patience = Patience(first_pause=1, longest_pause=8, attempts=7)
    pauses = list(patience.pauses(Random(1)))
    for pause, longest in zip(pauses, (1, 2, 4, 8, 8, 8), strict=True):
        assert longest / 2 <= pause <= longest
    assert pauses != list(patience.pauses(Random(2)))


async def test_a_migration_that_is_not_hindered_is_silent(
    database: Database, capfd: pytest.CaptureFixture[str]
) -> None:
    await asyncio.to_thread(upgrade, database.migrator_dsn, "9003")
    assert "gave_way" not in "".join(capfd.readouterr())
