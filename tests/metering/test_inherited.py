"""A server on a socket that it was given, as under `morrow up`, knows where its clients are."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.conftest import OPERATOR_KEY, Database
from tests.processes import PATIENCE_SECONDS


@pytest.fixture
def address(database: Database, tmp_path: Path) -> Iterator[str]:
    environment = {
        **os.environ,
        "MORROW_DATABASE_URL": database.api_dsn,
        "MORROW_OPERATOR_KEY": OPERATOR_KEY,
        "MORROW_MODEL_STORAGE_PATH": str(tmp_path / "models"),
        "MORROW_SPOOL_PATH": str(tmp_path / "spool"),
        "MORROW_ATTEMPTS_PER_MINUTE": "3",
    }
    with socket.create_server(("127.0.0.1", 0)) as given:
        given.set_inheritable(True)
        command = [sys.executable, "-m", "services.training.cli", "serve", "--fd"]
        process = subprocess.Popen(
            [*command, str(given.fileno())], env=environment, pass_fds=(given.fileno(),)
        )
        yield f"http://127.0.0.1:{given.getsockname()[1]}"
        process.terminate()
        process.wait(PATIENCE_SECONDS)


async def test_bad_keys_from_one_address_are_nothing_to_another(address: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    statuses = {}
    for source in ("127.0.0.1", "127.0.0.2"):
        transport = httpx.AsyncHTTPTransport(local_address=source)
        bad = {"Authorization": "Bearer mrw_ffffffffffff_nothing"}
        async with httpx.AsyncClient(
            transport=transport, base_url=address, headers=bad, timeout=PATIENCE_SECONDS
        ) as client:
            while (await client.get("/health/live")).status_code != 200:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.05)
            answers = [await client.get("/api/v1/tenant") for _ in range(4)]
            statuses[source] = [answer.status_code for answer in answers]
    assert list(statuses.values()) == [[401, 401, 401, 429]] * 2
