"""Several migrations of one database take turns."""

import asyncio
import os
import sys
from uuid import uuid4

import asyncpg
import pytest

from migrations import MigrationBusy, Patience
from migrations.turns import ONE_MIGRATION_AT_A_TIME
from shared.postgres import RunningPostgres
from shared.roles import MIGRATOR
from tests.conftest import Database, execute
from tests.migrations.chain import upgrade_apart

AT_REST = """
SELECT count(*) FROM pg_stat_activity a
WHERE datname = current_database() AND application_name = 'morrow-migrate'
  AND state = 'idle' AND xact_start IS NULL AND backend_xmin IS NULL
  AND NOT EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid)
"""
HOLD = f"SELECT pg_advisory_lock({ONE_MIGRATION_AT_A_TIME})"


async def test_who_waits_for_its_turn_holds_up_nothing(database: Database) -> None:
    """No statement, transaction or snapshot: CREATE INDEX CONCURRENTLY would wait for its end."""
    holder = await asyncpg.connect(database.admin_dsn)
    await holder.execute(HOLD)
    going = asyncio.create_task(upgrade_apart(database.migrator_dsn, "9002"))
    async with asyncio.timeout(60):
        while await holder.fetchval(AT_REST) < 2:  # the one that waits, the one that looks on
            await asyncio.sleep(0.01)
    assert await holder.fetchval("SELECT version_num FROM alembic_version") == "0001"
    await holder.close()
    await going
    await execute(database.admin_dsn, "DROP INDEX sales_weighed")  # it is there


async def test_a_turn_that_does_not_come_names_who_has_it(database: Database) -> None:
    holder = await asyncpg.connect(database.admin_dsn)
    await holder.execute(HOLD)
    with pytest.raises(MigrationBusy, match=f"pid {holder.get_server_pid()}, holds this database"):
        await upgrade_apart(database.migrator_dsn, "9001", Patience(turn_seconds=0))
    await holder.close()


async def test_all_that_start_at_once_find_it_migrated(postgres_server: RunningPostgres) -> None:
    name = f"test_{uuid4().hex}"
    admin = postgres_server.url("postgres", "postgres")
    await execute(admin, f"CREATE DATABASE {name} OWNER morrow_owner")
    dsn = postgres_server.url(MIGRATOR, name)
    started = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "services.training.cli", "migrate"),
            env={**os.environ, "MORROW_DATABASE_URL": dsn},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        for _ in range(3)
    ]
    said = [(await process.communicate())[0].decode() for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], said
    connection = await asyncpg.connect(dsn)
    assert await connection.fetchval("SELECT version_num FROM alembic_version") == "0001"
    await connection.close()
    await execute(admin, f"DROP DATABASE {name} WITH (FORCE)")
