"""The database of `morrow up`: its own, or the one it is pointed to."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

from shared.postgres import EmbeddedPostgres, RunningPostgres
from shared.postgres_errors import PostgresFailed
from shared.roles import MIGRATOR

SHORTEST_LIFE_SECONDS = 10.0


class OwnDatabase:
    """The embedded server, started again when it dies."""

    def __init__(self, postgres: EmbeddedPostgres, data_dir: Path) -> None:
        self._postgres = postgres
        self._data_dir = data_dir
        self._running = self._start()

    def url(self, role: str) -> str:
        return self._running.url(role)

    def processes(self) -> tuple[Popen[bytes], ...]:
        return (self._running.server,)

    def tend(self, now: float) -> int | None:
        """Note its end, whose status is returned, and start it again: its addresses stay.

        Raises PostgresFailed if it lived so short that another start would do no better.
        """
        status = self._running.server.poll()
        if status is None:
            return None
        self._running.stop()
        if now - self._started_at < SHORTEST_LIFE_SECONDS:
            raise PostgresFailed(
                f"PostgreSQL ended with status {status} soon after its start",
                self._running.last_lines(),
            )
        self._running = self._start()
        return status

    def stop(self) -> None:
        self._running.stop()

    def _start(self) -> RunningPostgres:
        running = self._postgres.start(self._data_dir)
        self._started_at = time.monotonic()
        return running


class GivenDatabase:
    """A server that is not ours: one address for all, and another for migrations if given."""

    def __init__(self, url: str, migration_url: str | None) -> None:
        self._url = url
        self._migration_url = migration_url

    def url(self, role: str) -> str:
        if role == MIGRATOR and self._migration_url is not None:
            return self._migration_url
        return self._url

    def processes(self) -> tuple[Popen[bytes], ...]:
        return ()

    def tend(self, now: float) -> int | None:
        return None

    def stop(self) -> None:
        """It goes on: it is not ours."""


Database = OwnDatabase | GivenDatabase


@contextmanager
def open_database(
    postgres: EmbeddedPostgres, data_dir: Path, environ: Mapping[str, str]
) -> Iterator[Database]:
    """The server at MORROW_DATABASE_URL, or else the embedded one, stopped at the end."""
    given = environ.get("MORROW_DATABASE_URL")
    database: Database = (
        GivenDatabase(given, environ.get("MORROW_MIGRATION_DATABASE_URL"))
        if given
        else OwnDatabase(postgres, data_dir)
    )
    try:
        yield database
    finally:
        database.stop()
