"""What must be true before a process serves: a schema it knows, a role that the wall keeps from
other tenants, and sessions of its own where it locks and listens."""

from collections.abc import Mapping
from typing import Final

import asyncpg

from migrations import require_schema
from services.training.pools import pool_limits
from services.training.settings import Settings
from shared.database import DatabaseUnavailable, connect_directly, make_engine
from shared.pooler import sessions_change
from shared.standing import read_standing

ADDRESS: Final = "MORROW_DATABASE_URL"
DIRECT: Final = "MORROW_DIRECT_DATABASE_URL"


class UnsafeConfiguration(Exception):
    """What the service will not start with; each problem names the setting and the way out."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


async def require_safe_start(settings: Settings, role: str) -> None:
    """Raise `UnsafeConfiguration` with all that is unsafe, `SchemaMismatch`, which says whether the
    code or the database is ahead, or `DatabaseUnavailable`."""
    try:
        problems = await faults_of_sessions(_addresses(settings), settings.db_pooler, role)
        if not problems:  # else a pooler may answer for another session
            await _require_current_schema(settings, role)
            problems = await _faults_of_roles(settings, role)
    except (OSError, asyncpg.PostgresError) as error:
        raise DatabaseUnavailable(f"cannot connect to the database: {error}") from error
    if problems:
        raise UnsafeConfiguration(problems)


async def _require_current_schema(settings: Settings, role: str) -> None:
    engine = make_engine(
        settings.database_url.get_secret_value(), role, pool_limits(settings), "morrow-start"
    )
    try:
        async with engine.connect() as connection:
            await require_schema(connection)
    finally:
        await engine.dispose()


async def _faults_of_roles(settings: Settings, role: str) -> list[str]:
    """Of each address for itself: another may log in there."""
    faults: list[str] = []
    for variable, dsn in _addresses(settings).items():
        connection = await connect_directly(dsn, role, "morrow-start", named_statements=False)
        try:
            standing = await read_standing(connection)
        finally:
            await connection.close(timeout=5)
        faults += [f"{variable}: {fault}" for fault in standing.faults()]
    return faults


async def faults_of_sessions(named: Mapping[str, str], pooler: str, role: str) -> list[str]:
    """Where a pooler in transaction mode stands that was not told of, or that must not be there.

    `named` are the addresses of the database by their variables, `pooler` what was told.
    """
    changing = {variable for variable, dsn in named.items() if await sessions_change(dsn, role)}
    if DIRECT in changing:
        return [
            f"{DIRECT} leads through a pooler in transaction mode, which loses advisory locks and "
            "LISTEN: give it the address of the server itself, or of a pooler in session mode"
        ]
    if changing and (DIRECT not in named or pooler == "none"):
        return [
            f"{ADDRESS} leads through a pooler in transaction mode, which loses advisory locks and "
            f"LISTEN: set MORROW_DB_POOLER=transaction, and {DIRECT} to the address of the server "
            "itself"
        ]
    return []


def _addresses(settings: Settings) -> dict[str, str]:
    named = {ADDRESS: settings.database_url.get_secret_value()}
    if settings.direct_database_url is not None:
        named[DIRECT] = settings.direct_database_url.get_secret_value()
    return named
