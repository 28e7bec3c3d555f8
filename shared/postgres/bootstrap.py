"""What a new server needs before migrations can run: Morrow's roles and a database."""

import asyncio
from collections.abc import Mapping

import asyncpg

from shared.postgres.errors import PostgresFailed
from shared.roles import OWNER, ROLES_SQL


def bootstrap(superuser_dsn: str, database: str, passwords: Mapping[str, str]) -> None:
    """Make the roles, set their passwords, make the database; all of it repeatable.

    Synchronous: to be called outside any running event loop, and it leaves no loop behind.
    Raises PostgresFailed with what the server answered.
    """
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        try:
            runner.run(_bootstrap(superuser_dsn, database, passwords))
        except asyncpg.PostgresError as error:
            raise PostgresFailed("PostgreSQL cannot be prepared for Morrow", str(error)) from error


async def _bootstrap(superuser_dsn: str, database: str, passwords: Mapping[str, str]) -> None:
    connection = await asyncpg.connect(superuser_dsn)
    try:
        await connection.execute(ROLES_SQL)
        for role, password in passwords.items():
            await _set_password(connection, role, password)
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", database):
            await _run(connection, "CREATE DATABASE %I OWNER %I", database, OWNER)
    finally:
        await connection.close()


async def _set_password(
    connection: "asyncpg.Connection[asyncpg.Record]", role: str, password: str
) -> None:
    await _run(connection, "ALTER ROLE %I PASSWORD %L", role, password)


async def _run(
    connection: "asyncpg.Connection[asyncpg.Record]", statement: str, *values: str
) -> None:
    """Run a statement that takes no parameters, with its values quoted by the server."""
    quoted = await connection.fetchval(
        "SELECT format($1, VARIADIC $2::text[])", statement, list(values)
    )
    await connection.execute(quoted)
