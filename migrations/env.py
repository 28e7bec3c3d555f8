"""How Alembic reaches the database: as the owner of the tables, one at a time, giving way."""

import asyncio
from collections.abc import Collection, Mapping
from random import Random
from typing import Any

import structlog
from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationInfo
from sqlalchemy import Connection, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

from migrations.blockers import APPLICATION, Watch, watched
from migrations.patience import Patience
from migrations.revisions import SchemaMismatch, compare, tell_served
from migrations.steps import carry_through, limit_transactions
from migrations.turns import take_turn
from services.training.tables import Table
from shared.database import service_url
from shared.roles import ensure_roles

OWNERS_MAY_CREATE = text(
    "SELECT has_schema_privilege('morrow_owner', 'public', 'CREATE') "
    "AND has_schema_privilege('morrow_definer', 'public', 'CREATE')"
)
LOOKS_A_WAIT = 8
NOTICE_THE_END = """
DO $$ BEGIN
  SET client_connection_check_interval = '1s';
EXCEPTION WHEN invalid_parameter_value THEN
  NULL;  -- a server on a system that cannot tell
END $$
"""
"""Else who is killed leaves a statement that waits on, and keeps the turn from the next."""

log = structlog.get_logger()
patience: Patience = context.config.attributes["patience"]


def migrate(connection: Connection, watch: Watch) -> None:
    take_turn(connection, patience)
    if _is_ahead(connection):
        return
    _prepare(connection)
    limit_transactions(connection, patience)
    random = Random()  # noqa: S311 - spreads attempts, guards nothing
    carry_through(connection, lambda: _run_revisions(connection), patience, watch, random)


def _is_ahead(connection: Connection) -> bool:
    """Whether there is nothing to do, because a newer release was here, and serves this one."""
    found = compare(connection, context.script)
    connection.commit()
    if found.database is None or found.database in found.known:
        return False
    if not found.fit:
        raise SchemaMismatch(found)
    log.info("database_is_ahead", database=found.database, code=found.code)
    return True


def _prepare(connection: Connection) -> None:
    with connection.begin():
        ensure_roles(connection)
        if not connection.scalar(OWNERS_MAY_CREATE):
            connection.execute(
                text("GRANT USAGE, CREATE ON SCHEMA public TO morrow_owner, morrow_definer")
            )


def _run_revisions(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Table.metadata,
        transaction_per_migration=True,
        on_version_apply=_tell_served,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()


def _tell_served(
    ctx: MigrationContext, step: MigrationInfo, heads: Collection[Any], run_args: Mapping[str, Any]
) -> None:
    assert ctx.connection is not None
    for head in heads:  # one, or none at the base
        tell_served(ctx.connection, context.script.get_revision(head))


async def main() -> None:
    dsn = context.config.attributes["dsn"]
    engine = create_async_engine(
        service_url(dsn),
        poolclass=pool.NullPool,
        hide_parameters=True,
        connect_args={"server_settings": {"application_name": APPLICATION}},
    )
    async with engine.connect() as connection:
        await connection.exec_driver_sql(NOTICE_THE_END)
        pid = await connection.scalar(text("SELECT pg_backend_pid()"))
        await connection.commit()
        async with watched(dsn, pid, patience.lock_seconds / LOOKS_A_WAIT) as watch:
            await connection.run_sync(migrate, watch)
    await engine.dispose()


def render() -> None:
    """The SQL of the revisions, in words, with what is said before it."""
    context.configure(dialect_name="postgresql", as_sql=True, transaction_per_migration=True)
    for said in patience.limits():
        context.get_context().impl.static_output(f"{said};")
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    render()
else:
    asyncio.run(main())
