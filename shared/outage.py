"""Whether the database is away, which is not the same as slow, or unwilling."""

from typing import Final

import asyncpg
from asyncpg.exceptions import CannotConnectNowError, CrashShutdownError, PostgresConnectionError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.database import DatabaseUnavailable, connect_directly

PROBE_SECONDS: Final = 2.0
ENDED_BY_SERVER: Final = (
    PostgresConnectionError,
    asyncpg.AdminShutdownError,
    CrashShutdownError,
    CannotConnectNowError,
)

DatabaseErrors = (
    DatabaseUnavailable,
    PoolTimeout,
    DBAPIError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    ConnectionError,
)
"""Every error of the database: what may, but need not, say that it is away."""


async def is_away(error: Exception, dsn: str, role: str) -> bool:
    """Whether `error` says that the connection could not be made, or was lost.

    A pool that ran dry says neither, so then a connection is tried: queries that are slow keep
    the pool empty while the database is there.
    """
    if isinstance(error, PoolTimeout):
        return not await _reachable(dsn, role)
    return is_lost(error)


def is_lost(error: BaseException | None) -> bool:
    """Whether it, or what it came of, is that a connection could not be made, or was lost."""
    match error:
        case None:
            return False
        case DBAPIError():
            return error.connection_invalidated or is_lost(error.orig)
        case asyncpg.InterfaceError():
            return "closed" in str(error)  # else the caller's own mistake
        case ConnectionError():
            return True
        case _ if isinstance(error, ENDED_BY_SERVER):
            return True
        case _:
            return is_lost(error.__cause__)


async def _reachable(dsn: str, role: str) -> bool:
    try:
        connection = await connect_directly(dsn, role, "morrow-probe", PROBE_SECONDS)
    except (OSError, asyncpg.PostgresError):
        return False
    await connection.close(timeout=PROBE_SECONDS)
    return True
