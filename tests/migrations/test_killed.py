"""A migration that is killed in its midst leaves its turn at once, and the next one ends it."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from tests.conftest import Database
from tests.migrations.chain import upgrade_apart

UPGRADE = (
    "import sys; from migrations import Patience; from tests.migrations.chain import upgrade; "
    "upgrade(sys.argv[1], sys.argv[2], Patience(lock_seconds=300, statement_seconds=600))"
)
WAITS = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
AND application_name = 'morrow-migrate' AND wait_event_type = 'Lock'
"""
LEFT = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
AND application_name = 'morrow-migrate'
"""
WEIGHED = """
SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'sales'::regclass AND attname = 'weighed')
"""
VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('sales_weighed')"
REVISION = "SELECT version_num FROM alembic_version"


@asynccontextmanager
async def held_up(database: Database, by: str, revision: str) -> AsyncIterator[asyncpg.Connection]:
    """A login that looks, after a process that was to migrate was killed while it waited for what
    `by` holds; that stays held until the end of the block."""
    blocker = await asyncpg.connect(database.admin_dsn)
    await blocker.execute(by)
    admin = await asyncpg.connect(database.admin_dsn)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", UPGRADE, database.migrator_dsn, revision),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        await until(admin, WAITS, 1)
        process.kill()
        await process.wait()
        await until(admin, LEFT, 0)
        yield admin
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        await blocker.close()
        await admin.close()


async def until(admin: asyncpg.Connection, question: str, answer: int) -> None:
    async with asyncio.timeout(60):
        while await admin.fetchval(question) != answer:
            await asyncio.sleep(0.02)


async def test_in_a_transaction_nothing_of_it_stays(database: Database) -> None:
    async with held_up(database, "BEGIN; LOCK products IN SHARE MODE", "9001") as admin:
        assert await admin.fetchval(REVISION) == "0001"
        assert await admin.fetchval(WEIGHED) is False  # the revision had come past it
    await upgrade_apart(database.migrator_dsn, "9001")


async def test_apart_from_any_what_it_left_is_made_anew(database: Database) -> None:
    amid = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1"
    async with held_up(database, amid, "9002") as admin:
        assert await admin.fetchval(REVISION) == "9001"
        assert await admin.fetchval(VALID) is False
    await upgrade_apart(database.migrator_dsn, "9002")
    admin = await asyncpg.connect(database.admin_dsn)
    assert await admin.fetchval(VALID) is True
    assert await admin.fetchval(REVISION) == "9002"
    await admin.close()
