"""One real server for a whole test session: import these names into a conftest."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.postgres import EmbeddedPostgres, RunningPostgres


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[RunningPostgres]:
    """A running server, one for each pytest-xdist worker, gone with the session.

    Not below pytest's own temporary folder: its path may be too long for a socket, and it bars
    the way of the other user whom root may have to start the server as.
    """
    with tempfile.TemporaryDirectory(prefix="morrow-pg-") as folder:
        Path(folder).chmod(0o711)
        with EmbeddedPostgres(fsync=False).start(Path(folder) / "pg") as server:
            yield server
