"""The database: reached, serving this code, with tenants apart, its locks and clock in order."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

import asyncpg
from sqlalchemy.exc import SQLAlchemyError

from migrations import read_revisions
from services.training.commands.checks.periodic import CHECK as PERIODIC
from services.training.commands.checks.periodic import check_periodic
from services.training.commands.checks.record import CHECK as RECORD
from services.training.commands.checks.record import Heads, check_record, silent
from services.training.commands.checks.roles import check_role, check_walls
from services.training.commands.checks.target import Target
from services.training.commands.checks.verdict import Health, Verdict, failed, skipped, well
from services.training.queue.locks import LOCK, UNLOCK
from services.training.startup import faults_of_sessions
from shared.database import PoolLimits, connect_directly, make_engine

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]

APPLICATION = "morrow-doctor"
LARGEST_CLOCK_DIFFERENCE_SECONDS = 5.0
FAULTS = (OSError, SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError)
BEHIND_IT = (
    "migrations",
    "roles",
    "tenant walls",
    "periodic work",
    "audit log",
    "sessions",
    "lock",
    "clock",
)


async def check_database(
    target: Target,
    clock: Callable[[], float] = time.time,
    known: Heads | None = None,
    say: Callable[[str], None] = silent,
) -> list[Verdict]:
    """Every verdict on the database; those behind the first that bars the way are skipped. `known`
    are earlier heads of the audit log."""
    reached = await _answered("database", lambda: _check_reached(target))
    if reached.health is Health.FAILED:
        return [reached, *skip_database("the database cannot be reached")]
    verdicts = [reached, await _answered("migrations", lambda: _check_migrations(target))]
    at_head = verdicts[-1].health is Health.OK
    for role in target.roles:
        verdicts.append(await _connected(target, role, role, check_role))
    verdicts.append(
        await _connected(target, target.roles[0], "tenant walls", check_walls)
        if at_head
        else skipped("tenant walls", "the tables are not those of this release")
    )
    verdicts.append(
        await _connected(target, target.roles[0], PERIODIC, check_periodic)
        if at_head
        else skipped(PERIODIC, "the tables are not those of this release")
    )
    look = partial(check_record, known=known, say=say)
    verdicts.append(
        await _connected(target, target.roles[0], RECORD, look)
        if at_head
        else skipped(RECORD, "the tables are not those of this release")
    )
    verdicts.append(await _answered("sessions", lambda: _check_sessions(target)))
    verdicts.append(await _answered("lock", lambda: _check_lock(target)))
    verdicts.append(
        await _connected(target, target.roles[0], "clock", partial(_check_clock, clock))
    )
    return verdicts


def skip_database(because: str) -> list[Verdict]:
    return [skipped(check, because) for check in BEHIND_IT]


async def _answered(check: str, look: Callable[[], Awaitable[Verdict]]) -> Verdict:
    try:
        return await look()
    except FAULTS as error:
        reason = str(error).strip().splitlines() or [""]
        return failed(check, f"{type(error).__name__}: {reason[0]}")


async def _connected(
    target: Target, role: str, check: str, look: "Callable[[Connection], Awaitable[Verdict]]"
) -> Verdict:
    async def connect_and_look() -> Verdict:
        async with _connection(target.url(role), role) as connection:
            return await look(connection)

    return await _answered(check, connect_and_look)


@asynccontextmanager
async def _connection(dsn: str, role: str) -> "AsyncIterator[Connection]":
    connection = await connect_directly(dsn, role, APPLICATION, named_statements=False)
    try:
        yield connection
    finally:
        await connection.close(timeout=5)


async def _check_reached(target: Target) -> Verdict:
    role = target.roles[0]
    async with _connection(target.url(role), role) as connection:
        version = connection.get_server_version()
    return well("database", f"{target.told} answers: PostgreSQL {version.major}.{version.minor}")


async def _check_migrations(target: Target) -> Verdict:
    role = target.roles[0]
    engine = make_engine(
        target.url(role), role, PoolLimits(size=1, named_statements=False), APPLICATION
    )
    try:
        async with engine.connect() as connection:
            revisions = await read_revisions(connection)
    finally:
        await engine.dispose()
    verdict = well if revisions.fit else failed
    return verdict("migrations", revisions.difference())


async def _check_sessions(target: Target) -> Verdict:
    """No pooler changes the sessions where locks are held and doorbells heard."""
    role = target.roles[-1]
    faults = await faults_of_sessions(target.addresses(role), target.pooler, role)
    if faults:
        return failed("sessions", "; ".join(faults))
    return well("sessions", "each connection that locks or listens has a session of its own")


async def _check_lock(target: Target) -> Verdict:
    """Take an advisory lock on one connection, be refused it on another, and let go of it.

    A pooler between them may give both the same session, which lets both in, or change the
    session between two statements, which loses the lock.
    """
    name = f"{APPLICATION}:{uuid4()}"
    role = target.roles[-1]
    dsn = target.direct_url(role)
    async with _connection(dsn, role) as one, _connection(dsn, role) as other:
        taken = await one.fetchval(LOCK, name)
        taken_twice = await other.fetchval(LOCK, name)
        released = await one.fetchval(UNLOCK, name)
    if taken and released and not taken_twice:
        return well("lock", "an advisory lock is taken, kept from others, and released")
    return failed(
        "lock",
        f"an advisory lock was taken: {taken}, by a second connection as well: {taken_twice}, "
        f"released: {released}; connect directly, or through a pooler in session mode",
    )


async def _check_clock(clock: Callable[[], float], connection: "Connection") -> Verdict:
    before = clock()
    there = await connection.fetchval("SELECT extract(epoch FROM clock_timestamp())::float8")
    after = clock()
    ahead = (before + after) / 2 - there
    told = f"this machine's clock is {abs(ahead):.3f} s {'ahead of' if ahead > 0 else 'behind'}"
    if abs(ahead) > LARGEST_CLOCK_DIFFERENCE_SECONDS:
        return failed(
            "clock",
            f"{told} the database's; {LARGEST_CLOCK_DIFFERENCE_SECONDS:g} s are allowed, because "
            "tickets and keys end by one and leases by the other: let both follow NTP",
        )
    return well("clock", f"{told} the database's")
