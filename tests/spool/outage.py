"""A PostgreSQL of one's own that can be away, and API processes on it."""

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx

import migrations
from shared.postgres import EmbeddedPostgres, RunningPostgres
from shared.roles import MIGRATOR
from tests.conftest import BAKERY, OPERATOR_KEY, Database

PATIENCE_SECONDS = 60.0


@dataclass
class Server:
    """It is started and stopped outside any event loop, so these tests have none."""

    folder: Path
    running: RunningPostgres

    def stop(self) -> None:
        self.running.stop()

    def start(self) -> None:
        """Twice is no error."""
        if self.running.lock.released:
            self.running = EmbeddedPostgres(fsync=False).start(self.folder)

    def ask(self, query: str, *arguments: Any) -> list[Any]:
        """The first column, as the superuser sees it."""
        return asyncio.run(self._ask(query, *arguments))

    def tell(self, statement: str, *arguments: Any) -> None:
        asyncio.run(self._ask(statement, *arguments))

    async def _ask(self, query: str, *arguments: Any) -> list[Any]:
        connection = await asyncpg.connect(self.database.admin_dsn)
        try:
            return [record[0] for record in await connection.fetch(query, *arguments)]
        finally:
            await connection.close()

    @property
    def database(self) -> Database:
        return Database("morrow", self.running)


@contextmanager
def migrated_server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="morrow-outage-") as name:
        Path(name).chmod(0o711)
        folder = Path(name) / "pg"
        server = Server(folder, EmbeddedPostgres(fsync=False).start(folder))
        try:
            migrations.upgrade(server.running.url(MIGRATOR))
            yield server
        finally:
            server.stop()


@dataclass
class Shop:
    """A tenant as its till sees the API."""

    id: str
    key: str
    http: httpx.Client

    def send(self, *rows: dict[str, Any]) -> httpx.Response:
        return self.http.post("/sales", json={"rows": list(rows)})

    def sales(self) -> list[dict[str, Any]]:
        answer = self.http.get("/sales")
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    def quantities(self) -> dict[str, float]:
        return {sale["product"]: sale["quantity"] for sale in self.sales()}

    def waiting(self) -> int:
        answer = self.http.get("/spool")
        assert answer.status_code == 200, answer.text
        waiting: int = answer.json()["waiting"]
        return waiting

    def receipt(self, answer: httpx.Response) -> dict[str, Any]:
        found = self.http.get(f"/spool/{answer.json()['id']}")
        assert found.status_code == 200, found.text
        receipt: dict[str, Any] = found.json()
        return receipt


def row(product: str, quantity: float, date: str = "2026-03-01") -> dict[str, Any]:
    return {"date": date, "product": product, "quantity": quantity}


@dataclass
class Clients:
    """Those of one test, at one address; closed when it ends."""

    address: str
    held: ExitStack

    def of(self, key: str) -> httpx.Client:
        headers = {"Authorization": f"Bearer {key}"}
        client = httpx.Client(
            base_url=f"{self.address}/api/v1", headers=headers, timeout=PATIENCE_SECONDS
        )
        return self.held.enter_context(client)

    def at(self, address: str) -> "Clients":
        return Clients(address, self.held)

    def shop(self, **values: Any) -> Shop:
        made = self.of(OPERATOR_KEY).post("/tenants", json=BAKERY | values)
        assert made.status_code == 201, made.text
        return self.known(made.json()["tenant"]["id"], made.json()["api_key"])

    def known(self, tenant_id: str, key: str) -> Shop:
        return Shop(tenant_id, key, self.of(key))


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
