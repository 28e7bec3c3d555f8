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
    """It is there when a test begins."""
    yield migrated
    if migrated.running.lock.released:
        migrated.start()


@pytest.fixture
def programs(server: Server, tmp_path: Path) -> Iterator[Programs]:
    with programs_on(server.database, tmp_path, MORROW_DB_POOL_SIZE="3") as opened:
        yield opened


@pytest.fixture
def clients(programs: Programs) -> Iterator[Clients]:
    """Of an API that is served."""
    programs.serve()
    with ExitStack() as held:
        yield Clients(programs.address, held)


@pytest.fixture
def shop(clients: Clients) -> Shop:
    """It has sold one rye."""
    opened = clients.shop()
    assert opened.send(row("rye", 1)).status_code == 200
    return opened
