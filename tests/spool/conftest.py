"""A PostgreSQL that may go away, and the API on it."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.processes import Programs, programs_on
from tests.spool.outage import Clients, Server, Shop, migrated_server, row


@pytest.fixture(scope="module")
def migrated() -> Iterator[Server]:
    with migrated_server() as server:
        yield server


@pytest.fixture
def server(migrated: Server) -> Iterator[Server]:
    """It is there when a test begins, and when it has ended."""
    yield migrated
    migrated.start()


@pytest.fixture
def programs(server: Server, tmp_path: Path) -> Iterator[Programs]:
    """For a test's own API; none is started yet."""
    with programs_on(server.database, tmp_path) as opened:
        yield opened


@pytest.fixture(scope="module")
def served(migrated: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    """An API that all tests of a module share."""
    with programs_on(migrated.database, tmp_path_factory.mktemp("served")) as opened:
        opened.serve()
        yield opened


@pytest.fixture
def clients(server: Server, served: Programs) -> Iterator[Clients]:
    with ExitStack() as held:
        yield Clients(served.address, held)


@pytest.fixture
def shop(clients: Clients) -> Shop:
    """It has sold one rye."""
    opened = clients.shop()
    assert opened.send(row("rye", 1)).status_code == 200
    return opened
