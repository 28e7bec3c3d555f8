"""A served API, and clients of each kind for a tenant of it."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn

from morrow import Client
from services.training.app import create_app
from shared.postgres import RunningPostgres
from tests.client.either import Either
from tests.client.scripted import Scripted, scripted_server
from tests.conftest import OPERATOR_KEY, Database, fresh_database, settings_for


@dataclass(frozen=True)
class Served:
    """Where the API is, and the directory it keeps models and waiting batches in."""

    url: str
    folder: Path
    database: Database


@dataclass(frozen=True)
class Shop:
    """A tenant."""

    id: str
    key: str


@pytest.fixture(scope="module")
def served(
    postgres_server: RunningPostgres, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """The real API over real HTTP, one for all tests of a module: each is a tenant of its own."""
    folder = tmp_path_factory.mktemp("served")
    with fresh_database(postgres_server, template) as database:
        app = create_app(settings_for(database.api_dsn, folder))
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None))
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive(), "the API did not start"
                time.sleep(0.01)
            host, port = server.servers[0].sockets[0].getsockname()[:2]
            yield Served(f"http://{host}:{port}", folder, database)
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def operator(served: Served) -> Iterator[Client]:
    with Client(served.url, OPERATOR_KEY) as client:
        yield client


@pytest.fixture
def shop(operator: Client) -> Shop:
    made = operator.create_tenant("Bakery", country="DE", timezone="Europe/Berlin")
    return Shop(made["tenant"]["id"], made["api_key"])


@pytest.fixture
def client(served: Served, shop: Shop) -> Iterator[Client]:
    with Client(served.url, shop.key) as client:
        yield client


@pytest.fixture
def script() -> Iterator[Scripted]:
    """A server that answers as the test says."""
    with scripted_server() as made:
        yield made


@pytest.fixture(params=["waits", "awaits"])
def either(request: pytest.FixtureRequest, script: Scripted) -> Either:
    """A client of each kind, of the scripted server."""
    return Either(request.param, script.url)


@pytest.fixture(params=["waits", "awaits"])
def own(request: pytest.FixtureRequest, served: Served, shop: Shop) -> Either:
    """A client of each kind, of a tenant of the real API."""
    return Either(request.param, served.url, shop.key)
