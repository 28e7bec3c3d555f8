"""The database of `morrow up`: its own, or the one it is pointed to."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

from services.training.up.options import UpOptions
from shared.postgres import EmbeddedPostgres, RunningPostgres
from shared.postgres.errors import PostgresFailed
from shared.roles import MIGRATOR

BESIDE = ("MORROW_DIRECT_DATABASE_URL", "MORROW_DB_POOLER")


class OwnDatabase:
    """The embedded server, started again when it dies.

    Given up when it dies `attempts` times in a row, each after less than `stable_after` seconds.
    """

    def __init__(
        self, postgres: EmbeddedPostgres, data_dir: Path, *, attempts: int, stable_after: float
    ) -> None:
        self._postgres = postgres
        self._attempts = attempts
        self._stable_after = stable_after
        self._deaths_in_a_row = 0
        self._data_dir = data_dir
        self._running = self._start()

    def url(self, role: str) -> str:
        return self._running.url(role)

    def beside(self) -> dict[str, str]:
        return {}

    def processes(self) -> tuple[Popen[bytes], ...]:
        return (self._running.server,)

    def tend(self, now: float) -> int | None:
        """Note its end, whose status is returned, and start it again: its addresses stay.

        Raises PostgresFailed when it is given up, and what a failed start raises.
        """
        status = self._running.server.poll()
        if status is None:
            return None
        self._running.stop()
        long_lived = now - self._started_at >= self._stable_after
        self._deaths_in_a_row = 1 if long_lived else self._deaths_in_a_row + 1
        if self._deaths_in_a_row >= self._attempts:
            raise PostgresFailed(
                f"PostgreSQL ended {self._attempts} times, the last with status {status}",
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
    """A server that is not ours: one address for all, others past a pooler and for migrations."""

    def __init__(self, url: str, environ: Mapping[str, str]) -> None:
        self._url = url
        self._beside = {name: environ[name] for name in BESIDE if environ.get(name)}
        direct = self._beside.get("MORROW_DIRECT_DATABASE_URL") or url
        self._migration_url = environ.get("MORROW_MIGRATION_DATABASE_URL") or direct

    def url(self, role: str) -> str:
        return self._migration_url if role == MIGRATOR else self._url

    def beside(self) -> dict[str, str]:
        """What else is said of how it is reached."""
        return self._beside

    def processes(self) -> tuple[Popen[bytes], ...]:
        return ()

    def tend(self, now: float) -> int | None:
        return None

    def stop(self) -> None:
        """It goes on: it is not ours."""


Database = OwnDatabase | GivenDatabase


@contextmanager
def open_database(
    options: UpOptions, data_dir: Path, environ: Mapping[str, str]
) -> Iterator[Database]:
    """The server at MORROW_DATABASE_URL, or else the embedded one, stopped at the end."""
    given = environ.get("MORROW_DATABASE_URL")
    database: Database
    if given:
        database = GivenDatabase(given, environ)
    else:
        database = OwnDatabase(
            options.postgres,
            data_dir,
            attempts=options.attempts,
            stable_after=options.restart.stable_after,
        )
    try:
        yield database
    finally:
        database.stop()
