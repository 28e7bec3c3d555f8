"""A served API, and a client of each kind for a tenant of it."""

import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn

from morrow import AsyncClient, Client
from services.training.app import create_app
from tests.client.either import Either
from tests.client.scripted import Scripted, scripted_server
from tests.conftest import OPERATOR_KEY, Database, settings_for


@dataclass(frozen=True)
class Served:
    """Where the API is, and a tenant of it."""

    url: str
    key: str


@pytest.fixture
def served(database: Database, tmp_path: Path) -> Iterator[Served]:
    """The real API over real HTTP."""
    app = create_app(settings_for(database.api_dsn, tmp_path))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, ws="websockets-sansio"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the API did not start"
            time.sleep(0.01)
        host, port = server.servers[0].sockets[0].getsockname()[:2]
        url = f"http://{host}:{port}"
        with Client(url, OPERATOR_KEY) as operator:
            made = operator.create_tenant("Bakery", country="DE", timezone="Europe/Berlin")
        yield Served(url, made["api_key"])
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def operator(served: Served) -> Iterator[Client]:
    with Client(served.url, OPERATOR_KEY) as client:
        yield client


@pytest.fixture
def client(served: Served) -> Iterator[Client]:
    with Client(served.url, served.key) as client:
        yield client


@pytest.fixture
async def async_client(served: Served) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(served.url, served.key) as client:
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
