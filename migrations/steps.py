"""Carrying revisions out: each in a transaction of its own that gives way to the traffic."""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Final

import asyncpg
import structlog
from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.util import await_only

from migrations.blockers import Watch
from migrations.patience import Patience

AS_OWNER: Final = "SET ROLE morrow_owner"
LOCK_NOT_AVAILABLE: Final = "55P03"
DEADLOCK: Final = "40P01"

log = structlog.get_logger()


class MigrationBlocked(Exception):
    """Others held a lock that a revision needs, at each attempt; the revision left nothing."""

    def __init__(self, attempts: int, patience: Patience, blockers: str) -> None:
        super().__init__(
            f"the migration gave way {attempts} times, after {patience.lock_seconds:g} s each, to "
            f"{blockers}. Nothing of its revision stays: end that transaction "
            "(pg_terminate_backend), or run `morrow migrate` at a quieter time"
        )


def limit_transactions(connection: Connection, patience: Patience) -> None:
    """From here on whatever begins on `connection` acts as the owner, within the limits.

    Said at every beginning, also of what alembic's `autocommit_block` does without a transaction.
    Besides, the driver begins none before its first statement, which `run_sql` goes past.
    """

    @event.listens_for(connection, "begin")
    def _limit(begun: Connection) -> None:
        apart = begun.get_execution_options().get("isolation_level") == "AUTOCOMMIT"
        for said in (AS_OWNER, *patience.limits(apart=apart)):
            begun.exec_driver_sql(said)


def carry_through(
    connection: Connection,
    steps: Callable[[], None],
    patience: Patience,
    watch: Watch,
    random: Random,
) -> None:
    """Run `steps` until they are done; they go on where they were. Raises `MigrationBlocked`."""
    for attempt, pause in enumerate((*patience.pauses(random), None), 1):
        try:
            return steps()
        except (DBAPIError, asyncpg.PostgresError) as error:
            connection.rollback()
            if not _stood_in_the_way(error):
                raise
            if pause is None:
                raise MigrationBlocked(attempt, patience, watch.told()) from error
        log.warning("migration_gave_way", attempt=attempt, to=watch.told(), again_in=pause)
        await_only(asyncio.sleep(pause))


def _stood_in_the_way(error: DBAPIError | asyncpg.PostgresError) -> bool:
    found = error.orig if isinstance(error, DBAPIError) else error
    return getattr(found, "sqlstate", None) in {LOCK_NOT_AVAILABLE, DEADLOCK}
