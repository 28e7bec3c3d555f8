"""The database at one moment: what it holds, and which artifacts it names."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from secrets import token_hex
from typing import Final

from sqlalchemy import func, pool, select, table, text
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    create_async_engine,
)

from services.training.backup.errors import BackupRefused
from services.training.backup.manifest import Named
from services.training.pruning.artifacts import read_named
from services.training.tables import Tenant
from shared.database import service_url

SEES_ALL: Final = text(
    "SELECT rolname, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
)
TABLES: Final = text(
    "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace "
    "ORDER BY relname"
)
REVISION_TABLE: Final = "alembic_version"
REVISION: Final = text("SELECT version_num FROM public.alembic_version")
MIGRATED: Final = select(func.to_regclass(f"public.{REVISION_TABLE}").is_not(None))
SESSIONS: Final = text(
    "SELECT DISTINCT usename FROM pg_stat_activity WHERE datname = current_database() "
    "AND usename IS NOT NULL AND application_name IS DISTINCT FROM current_setting("
    "'application_name') ORDER BY usename"
)
"""A connection of ours that has just been closed may be there a moment longer; not of others."""


@dataclass(frozen=True, slots=True)
class Contents:
    """`revision` is None, and there are no rows, where nothing was ever migrated."""

    revision: str | None
    rows: dict[str, int]

    @property
    def count(self) -> int:
        """Of the rows that say something."""
        return sum(rows for name, rows in self.rows.items() if name != REVISION_TABLE)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """As long as it is open, `pg_dump --snapshot` sees exactly this."""

    id: str
    taken_at: datetime
    contents: Contents
    named: Named


@asynccontextmanager
async def open_engine(dsn: str) -> AsyncIterator[AsyncEngine]:
    """The database by a login that sees every tenant. Raises `BackupRefused` for any other."""
    engine = create_async_engine(
        service_url(dsn),
        poolclass=pool.NullPool,
        hide_parameters=True,
        connect_args={"server_settings": {"application_name": f"morrow-backup-{token_hex(4)}"}},
    )
    try:
        async with engine.connect() as connection:
            role, sees_all = (await connection.execute(SEES_ALL)).one()
        if not sees_all:
            raise BackupRefused(
                "login_refused",
                f"{role} does not see every tenant: set MORROW_BACKUP_DATABASE_URL to a login that "
                "does, made by CREATE ROLE morrow_backup LOGIN BYPASSRLS IN ROLE pg_read_all_data",
            )
        yield engine
    finally:
        await engine.dispose()


@asynccontextmanager
async def open_snapshot(engine: AsyncEngine) -> AsyncIterator[Snapshot]:
    """Everything in it is of the same moment."""
    async with _frozen(engine) as connection:
        exported = await connection.execute(select(func.pg_export_snapshot(), func.now()))
        id, taken_at = exported.one()
        contents = await _read_contents(connection)
        yield Snapshot(id, taken_at, contents, await _read_all_named(connection))


async def is_migrated(engine: AsyncEngine) -> bool:
    async with engine.connect() as connection:
        return (await connection.execute(MIGRATED)).scalar_one()


async def read_contents(engine: AsyncEngine) -> Contents:
    async with _frozen(engine) as connection:
        return await _read_contents(connection)


async def read_all_named(engine: AsyncEngine) -> Named:
    """The artifacts that the database names now."""
    async with _frozen(engine) as connection:
        return await _read_all_named(connection)


async def read_sessions(engine: AsyncEngine) -> list[str]:
    """The logins of all other sessions in the database."""
    async with engine.connect() as connection:
        return list((await connection.execute(SESSIONS)).scalars())


@asynccontextmanager
async def _frozen(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    async with engine.connect() as made:
        connection = await made.execution_options(isolation_level="REPEATABLE READ")
        async with connection.begin():
            yield connection


async def _read_contents(connection: AsyncConnection) -> Contents:
    rows: dict[str, int] = {}
    for name in (await connection.execute(TABLES)).scalars().all():
        count = select(func.count()).select_from(table(name, schema="public"))
        rows[name] = (await connection.execute(count)).scalar_one()
    if REVISION_TABLE not in rows:
        return Contents(None, rows)
    stamped = await connection.execute(REVISION)
    return Contents(stamped.scalar_one_or_none(), rows)


async def _read_all_named(connection: AsyncConnection) -> Named:
    tenants = (await connection.execute(select(Tenant.tenant_id))).scalars().all()
    async with AsyncSession(bind=connection) as session:
        return {str(tenant): frozenset(await read_named(session, tenant)) for tenant in tenants}
