"""The database and the code tell the same story, both ways."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

import migrations
from services.training.tables import Table
from shared.database import (
    PoolLimits,
    make_engine,
    make_sessions,
    service_url,
    tenant_transaction,
)
from shared.roles import WORKER
from tests.conftest import Database


async def test_migrations_make_just_the_tables_of_the_code(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_server_default": False})
        return list(compare_metadata(context, Table.metadata))

    engine = create_async_engine(service_url(database.admin_dsn))
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


@pytest.mark.parametrize("setting", [None, ""])
async def test_without_a_tenant_there_is_an_error_and_never_rows(
    database: Database, setting: str | None
) -> None:
    connection = await asyncpg.connect(database.api_dsn)
    try:
        if setting is not None:
            await connection.execute("SELECT set_config('app.tenant_id', $1, false)", setting)
        with pytest.raises(asyncpg.PostgresError):
            await connection.fetch("SELECT * FROM tenants")
    finally:
        await connection.close()


async def test_a_database_ahead_or_behind_is_refused_and_named(database: Database) -> None:
    engine = create_async_engine(service_url(database.admin_dsn))
    async with engine.begin() as connection:
        await migrations.require_schema(connection)
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        with pytest.raises(migrations.SchemaMismatch, match=r"database \(9999\) is ahead"):
            await migrations.require_schema(connection)
        await connection.execute(text("DROP TABLE alembic_version"))
        with pytest.raises(migrations.SchemaMismatch, match="run `morrow migrate`"):
            await migrations.require_schema(connection)
    await engine.dispose()


def test_up_and_down_and_up_again(database: Database) -> None:
    migrations.downgrade(database.migrator_dsn, "base")
    migrations.upgrade(database.migrator_dsn)


async def test_who_falls_silent_in_a_transaction_is_cut_off(database: Database) -> None:
    engine = make_engine(database.worker_dsn, WORKER, PoolLimits(), "test")
    sessions = make_sessions(engine, timedelta(seconds=0.2))

    async def ask_wait_and_ask() -> None:
        async with tenant_transaction(sessions, uuid4()) as session:
            await session.execute(text("SELECT 1"))
            await asyncio.sleep(0.5)
            await session.execute(text("SELECT 1"))

    with pytest.raises(DBAPIError, match=r"idle.in.transaction|connection is closed"):
        await ask_wait_and_ask()
    await engine.dispose()
