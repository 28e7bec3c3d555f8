"""Engines, and sessions that carry their tenant into every transaction.

The tenant is set with `set_config(..., is_local => true)` as the first statement after BEGIN, so
it ends with the transaction and cannot ride a pooled connection into another tenant's request.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

import asyncpg
from sqlalchemy import Connection, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import Session, SessionTransaction

from shared.deadline import current_deadline
from shared.telemetry import watch_pool


class TenantUnset(RuntimeError):
    """A session began a transaction without a tenant."""


LONGEST_IDLE = timedelta(seconds=10)
"""A process that falls silent in mid-transaction is cut off: its row locks would stop others."""

BEGIN_AS = text(
    "SELECT set_config('app.tenant_id', :tenant, true), "
    "set_config('idle_in_transaction_session_timeout', :idle, true)"
)

BEGIN_WITHIN = text(
    f"{BEGIN_AS.text}, set_config('statement_timeout', :statement, true), "
    # Whoever asked may be cancelled in a way that only closes the connection, which a server that
    # waits for a lock would not look at; on Windows it cannot.
    "CASE WHEN version() !~* 'windows|mingw|msvc|visual' "
    "THEN set_config('client_connection_check_interval', '1s', true) END"
)

END_SOON = text(
    "SELECT CASE WHEN current_setting('server_version_num')::int >= 170000 "
    "THEN set_config('transaction_timeout', :limit, true) END"
)


KEPT_STATEMENTS: Final = 100
UNNAMED: Final[Mapping[str, Any]] = {
    "prepared_statement_cache_size": 0,
    "prepared_statement_name_func": str,  # '': it ends with the next one
}


class DatabaseUnavailable(ConnectionError):
    """No connection could be made: the server is away, full, or refuses the login."""


class TenantSession(Session):
    """A session whose every transaction begins by naming its tenant."""


@event.listens_for(TenantSession, "after_begin")
def _name_the_tenant(session: Session, _: SessionTransaction, connection: Connection) -> None:
    tenant_id = session.info.get("tenant_id")
    if tenant_id is None:
        raise TenantUnset("open sessions with tenant_transaction(sessions, tenant_id)")
    idle = _setting(session.info["longest_idle"])
    values = {"tenant": str(tenant_id), "idle": idle}
    deadline = current_deadline()
    if deadline is None:
        connection.execute(BEGIN_AS, values)
    else:
        left = timedelta(seconds=deadline.left())
        connection.execute(BEGIN_WITHIN, values | {"statement": _setting(left)})


def _setting(duration: timedelta) -> str:
    return f"{duration / timedelta(milliseconds=1):.0f}ms"


Sessions = async_sessionmaker[AsyncSession]


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """How many connections one process may hold; seconds where time is meant."""

    size: int = 10
    max_overflow: int = 20
    timeout: float = 30
    recycle: int = 3600
    pre_ping: bool = True
    echo: bool = False
    named_statements: bool = True
    """Statements are prepared by name and kept; not through a pooler in transaction mode, where
    the next may run in another session."""


def service_url(dsn: str) -> URL:
    """The DSN as SQLAlchemy's asyncpg dialect takes it."""
    return make_url(dsn).set(drivername="postgresql+asyncpg")


def assumed_role(dsn: str, role: str) -> dict[str, str]:
    """Server settings with which a login that is not `role` itself steps down to it.

    A login of its own needs none, which keeps the DSN usable through a pooler.
    """
    return {} if make_url(dsn).username == role else {"role": role}


def make_engine(dsn: str, role: str, limits: PoolLimits, application: str) -> AsyncEngine:
    """An engine whose every connection acts as `role`; `DatabaseUnavailable` where it gets none."""

    def connect() -> DBAPIConnection:
        driver = engine.dialect.dbapi
        assert driver is not None
        made: DBAPIConnection = driver.connect(
            async_creator_fn=partial(_connect_or_say_so, dsn, role, application, limits),
            **({} if limits.named_statements else UNNAMED),
        )
        return made

    engine = create_async_engine(
        service_url(dsn),
        creator=connect,
        pool_size=limits.size,
        max_overflow=limits.max_overflow,
        pool_timeout=limits.timeout,
        pool_recycle=limits.recycle,
        pool_pre_ping=limits.pre_ping,
        echo=limits.echo,
        hide_parameters=True,  # an error would quote sales and keys, and errors are logged
    )
    watch_pool(engine, application, limits.size + limits.max_overflow)
    return engine


async def _connect_or_say_so(
    dsn: str, role: str, application: str, limits: PoolLimits
) -> "asyncpg.Connection[asyncpg.Record]":
    try:
        return await connect_directly(
            dsn, role, application, limits.timeout, limits.named_statements
        )
    except (OSError, asyncpg.PostgresError) as error:
        raise DatabaseUnavailable(f"cannot connect to the database: {error}") from error


async def connect_directly(
    dsn: str, role: str, application: str, seconds: float = 10, named_statements: bool = True
) -> "asyncpg.Connection[asyncpg.Record]":
    """One connection outside every pool of ours: for LISTEN, and for advisory locks."""
    plain = make_url(dsn).set(drivername="postgresql").render_as_string(hide_password=False)
    return await asyncpg.connect(
        plain,
        server_settings={"application_name": application, **assumed_role(dsn, role)},
        timeout=seconds,
        statement_cache_size=KEPT_STATEMENTS if named_statements else 0,
    )


def make_sessions(engine: AsyncEngine, longest_idle: timedelta = LONGEST_IDLE) -> Sessions:
    """A factory of sessions that refuse to begin without a tenant, and whose transactions the
    server ends once they have been idle for `longest_idle`."""
    return async_sessionmaker(
        engine,
        sync_session_class=TenantSession,
        expire_on_commit=False,
        info={"longest_idle": longest_idle},
    )


def tenant_session(sessions: Sessions, tenant_id: UUID) -> AsyncSession:
    """A session of `tenant_id`; the caller commits."""
    return sessions(info={"tenant_id": tenant_id})


@asynccontextmanager
async def tenant_transaction(sessions: Sessions, tenant_id: UUID) -> AsyncIterator[AsyncSession]:
    """One transaction of `tenant_id`: committed at the end, rolled back on any error."""
    async with tenant_session(sessions, tenant_id) as session, session.begin():
        yield session


async def allow_waiting(session: AsyncSession) -> None:
    """To be said before a transaction waits for what others wait for as well, and `end_soon` after:
    no limit until then. It names the statement to the server, which then takes but one message."""
    await session.execute(END_SOON, {"limit": "0"})


async def end_soon(session: AsyncSession) -> None:
    """To be said once a transaction has locked what others wait for: from here on it lasts at most
    twice as long as it may be idle, and then the server ends it (PostgreSQL 17 and later).

    A process that falls silent after it named a statement, and before it runs it, is not idle to
    the server, but amid a statement, where no other limit ends its wait.
    """
    await session.execute(END_SOON, {"limit": _setting(2 * session.info["longest_idle"])})
