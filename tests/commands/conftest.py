"""A served API on a loopback port, and its tenants."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn

from services.training.app import create_app
from tests.commands.run_morrow import answer, morrow
from tests.conftest import OPERATOR_KEY, Database, settings_for


@dataclass(frozen=True)
class Served:
    """Where the API is, and a tenant of it."""

    url: str
    key: str


@pytest.fixture
def served(database: Database, tmp_path: Path) -> Iterator[Served]:
    """The real API over real HTTP."""
    config = uvicorn.Config(
        create_app(settings_for(database.api_dsn, tmp_path)),
        port=0,
        log_config=None,
        ws="websockets-sansio",
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the API did not start"
            time.sleep(0.01)
        host, port = server.servers[0].sockets[0].getsockname()[:2]
        yield _with_tenant(f"http://{host}:{port}")
    finally:
        server.should_exit = True
        thread.join()


def _with_tenant(url: str) -> Served:
    made = answer(
        morrow(
            *("tenants", "create", "Bäckerei", "--country", "DE", "--timezone", "Europe/Berlin"),
            "--json",
            URL=url,
            OPERATOR_KEY=OPERATOR_KEY,
        )
    )
    return Served(url, made["api_key"])
