"""A database, and the API on a port of its own, for all tests of a module: each test is a tenant of
its own. For modules and their conftests to take up by name."""

from collections.abc import Iterator

import pytest

from shared.postgres import RunningPostgres
from tests.conftest import Database, fresh_database
from tests.processes import Programs, programs_on


@pytest.fixture(scope="module")
def database(postgres_server: RunningPostgres, template: str) -> Iterator[Database]:
    with fresh_database(postgres_server, template) as made:
        yield made


@pytest.fixture(scope="module")
def served(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    with programs_on(database, tmp_path_factory.mktemp("served")) as programs:
        programs.serve()
        yield programs
