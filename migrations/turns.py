"""One migration of a database at a time: whoever comes later waits for its turn."""

import asyncio
import time
from typing import Final

import structlog
from sqlalchemy import Connection, text
from sqlalchemy.util import await_only

from migrations.patience import Patience

ONE_MIGRATION_AT_A_TIME: Final = 7_224_601
LOOK_SECONDS: Final = 0.5
SAY_SECONDS: Final = 30.0

TAKE: Final = text("SELECT pg_try_advisory_lock(:key)")
HOLDER: Final = text(
    "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1 "
    "AND (classid::bigint << 32 | objid::bigint) = :key "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)

log = structlog.get_logger()


class MigrationBusy(Exception):
    """Another migration of this database did not end in time."""

    def __init__(self, pid: int | None, seconds: float) -> None:
        super().__init__(
            f"another migration, pid {pid or 'unknown'}, holds this database since more than "
            f"{seconds:.0f} s: wait for it, or end it with pg_terminate_backend({pid or 'its pid'})"
        )
        self.pid = pid


def take_turn(connection: Connection, patience: Patience) -> None:
    """Wait until no other migration runs here; the turn ends with the connection.

    It is asked for again and again: a statement that waited for it would hold a snapshot, for whose
    end CREATE INDEX CONCURRENTLY of the other would wait in turn. Raises `MigrationBusy`.
    """
    began, said = time.monotonic(), -SAY_SECONDS
    while not _asked(connection):
        waited = time.monotonic() - began
        pid = connection.scalar(HOLDER, {"key": ONE_MIGRATION_AT_A_TIME})
        connection.commit()
        if waited >= patience.turn_seconds:
            raise MigrationBusy(pid, patience.turn_seconds)
        if waited >= said + SAY_SECONDS:
            said = waited
            log.info("migration_waits_for_its_turn", holder=pid, seconds=round(waited))
        await_only(asyncio.sleep(min(LOOK_SECONDS, patience.turn_seconds)))


def _asked(connection: Connection) -> bool:
    taken = connection.scalar(TAKE, {"key": ONE_MIGRATION_AT_A_TIME})
    connection.commit()
    return bool(taken)
