"""How Alembic reaches the database: as the owner of the tables, under a lock, one at a time."""

import asyncio

from alembic import context
from sqlalchemy import Connection, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

from services.training.tables import Table
from shared.database import service_url
from shared.roles import ensure_roles

ONE_MIGRATION_AT_A_TIME = 7_224_601
OWNERS_MAY_CREATE = text(
    "SELECT has_schema_privilege('morrow_owner', 'public', 'CREATE') "
    "AND has_schema_privilege('morrow_definer', 'public', 'CREATE')"
)


def migrate(connection: Connection) -> None:
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ONE_MIGRATION_AT_A_TIME})
    ensure_roles(connection)
    if not connection.scalar(OWNERS_MAY_CREATE):
        connection.execute(
            text("GRANT USAGE, CREATE ON SCHEMA public TO morrow_owner, morrow_definer")
        )
    connection.execute(text("SET LOCAL ROLE morrow_owner"))
    connection.execute(text("SET LOCAL lock_timeout = '5s'"))
    context.configure(connection=connection, target_metadata=Table.metadata)
    context.run_migrations()


async def main() -> None:
    engine = create_async_engine(
        service_url(context.config.attributes["dsn"]), poolclass=pool.NullPool, hide_parameters=True
    )
    async with engine.begin() as connection:
        await connection.run_sync(migrate)
    await engine.dispose()


asyncio.run(main())
