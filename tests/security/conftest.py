"""A pooler before the test's server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.postgres import RunningPostgres
from tests.pgbouncer import Pooler, Program, find_pgbouncer, running_pooler


@pytest.fixture(scope="session")
def pgbouncer(pytestconfig: pytest.Config) -> Program:
    return find_pgbouncer(Path(pytestconfig.cache.mkdir("pgbouncer")))


@pytest.fixture(scope="session")
def pooler(postgres_server: RunningPostgres, pgbouncer: Program) -> Iterator[Pooler]:
    """In transaction mode, with five sessions to each database and role."""
    with running_pooler(pgbouncer, postgres_server) as running:
        yield running
