"""A shop with models, a place for its backups, and an empty database to bring them back to."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from services.training.backup.programs import PostgresPrograms
from services.training.backup.progress import Report, Stage
from services.training.backup.restore import Target, restore_backup
from services.training.backup.shelf import Kept, find_backup
from services.training.backup.take import Source, take_backup
from shared.artifacts import ArtifactStore, open_store
from shared.postgres import RunningPostgres
from shared.postgres.binaries import find_binaries
from tests.conftest import Database, execute, fresh_database
from tests.forecasts.conftest import Stall, stall

__all__ = ["Stall", "stall"]

PROGRAMS = PostgresPrograms(find_binaries().folder)
PASSWORD = "backup-login-of-tests"


def unread(stage: Stage, done: int, total: int) -> None:
    """A report that nobody reads."""


@dataclass(frozen=True)
class Vault:
    """Where backups are kept, and what lies there."""

    root: Path

    @property
    def shelf(self) -> ArtifactStore:
        return open_store(self.root)

    def file(self, owner: str, sha256: str) -> Path:
        return self.root / owner / sha256[:2] / sha256


@dataclass(frozen=True)
class Elsewhere:
    """An empty database on the same server, and an empty model store."""

    database: Database
    dsn: str
    folder: Path

    def target(self) -> Target:
        return Target(self.dsn, self.database.migrator_dsn, open_store(self.models), PROGRAMS)

    @property
    def models(self) -> Path:
        return self.folder / "models"

    async def fetch(self, query: str) -> list[asyncpg.Record]:
        return await fetch(self.database.admin_dsn, query)

    async def tables(self) -> int:
        found = await self.fetch("SELECT FROM pg_tables WHERE schemaname = 'public'")
        return len(found)

    async def restore(self, vault: Vault, id: str | None = None, *, force: bool = False) -> Kept:
        kept = await find_backup(vault.shelf, id)
        await restore_backup(kept, vault.shelf, self.target(), unread, force=force)
        return kept


@dataclass(frozen=True)
class Shop:
    """The shop as whoever backs it up sees it."""

    stall: Stall
    dsn: str
    admin_dsn: str

    @property
    def owner(self) -> str:
        return str(self.stall.tenant.id)

    def source(self) -> Source:
        return Source(self.dsn, self.stall.artifacts, PROGRAMS, "0.0.0")

    async def back_up(
        self, vault: Vault, report: Report = unread, *, trusting: bool = False
    ) -> Kept:
        return await take_backup(self.source(), vault.shelf, report, trusting=trusting)

    async def named(self) -> set[str]:
        """Every digest in any row, asked another way than the product does."""
        found = await fetch(
            self.admin_dsn,
            "SELECT DISTINCT hex[1] AS it FROM (SELECT m::text AS row FROM models m "
            "UNION ALL SELECT k::text FROM kept_pools k) r, "
            "regexp_matches(r.row, '[,(]([0-9a-f]{64})[,)]', 'g') AS hex",
        )
        return {record["it"] for record in found}

    def lose(self, sha256: str) -> None:
        (self.stall.models / self.owner / sha256[:2] / sha256).unlink()


async def fetch(dsn: str, query: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(dsn)
    try:
        found: list[asyncpg.Record] = await connection.fetch(query)
        return found
    finally:
        await connection.close()


@pytest.fixture
async def login(postgres_server: RunningPostgres) -> AsyncIterator[str]:
    """A role as the refusal of others recommends it."""
    name = f"backup_{uuid4().hex[:12]}"
    admin = postgres_server.url("postgres", "postgres")
    made = f"CREATE ROLE {name} LOGIN BYPASSRLS PASSWORD '{PASSWORD}' IN ROLE pg_read_all_data"
    await execute(admin, made)
    yield name
    await execute(admin, f"DROP ROLE {name}")


def dsn_of(login: str, database: Database) -> str:
    url = make_url(database.admin_dsn).set(username=login, password=PASSWORD)
    return url.render_as_string(hide_password=False)


@pytest.fixture
def shop(stall: Stall, database: Database, login: str) -> Shop:
    return Shop(stall, dsn_of(login, database), database.admin_dsn)


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    (tmp_path / "vault").mkdir()
    return Vault(tmp_path / "vault")


@pytest.fixture
def elsewhere(postgres_server: RunningPostgres, login: str, tmp_path: Path) -> Iterator[Elsewhere]:
    with fresh_database(postgres_server, "template0") as made:
        yield Elsewhere(made, dsn_of(login, made), tmp_path / "elsewhere")


def damage(path: Path) -> None:
    """Flip one bit, behind everybody's back."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    age = path.stat().st_mtime
    path.write_bytes(data)
    os.utime(path, (age, age))


def apart(work: Coroutine[Any, Any, None]) -> None:
    """Done by somebody else before the backup goes on."""
    thread = threading.Thread(target=asyncio.run, args=(work,))
    thread.start()
    thread.join()
