"""The database's history: `upgrade` brings a database to the code's head, `read_revisions` compares
them."""

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import AsyncConnection

from migrations.patience import Patience
from migrations.revisions import Revisions, SchemaMismatch, compare
from migrations.steps import MigrationBlocked
from migrations.turns import MigrationBusy

__all__ = ["MigrationBlocked", "MigrationBusy", "Patience", "Revisions", "SchemaMismatch"]

HERE = Path(__file__).parent


def configuration(dsn: str, patience: Patience | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.attributes["dsn"] = dsn
    config.attributes["patience"] = patience or Patience()
    return config


def upgrade(dsn: str, revision: str = "head", patience: Patience | None = None) -> None:
    """Bring the database at `dsn` up to `revision`, as a login that may change the schema.

    Waits for its turn where others migrate; each revision is a transaction of its own, which gives
    way to who holds its locks, and is tried again. Raises `MigrationBusy`, `MigrationBlocked`, or
    `SchemaMismatch` where the database is ahead and serves this code no more.
    """
    command.upgrade(configuration(dsn, patience), revision)


def downgrade(dsn: str, revision: str, patience: Patience | None = None) -> None:
    command.downgrade(configuration(dsn, patience), revision)


def known_revisions() -> frozenset[str]:
    """Every revision that this code can bring a database to."""
    scripts = ScriptDirectory(str(HERE))
    return frozenset(script.revision for script in scripts.walk_revisions())


async def read_revisions(connection: AsyncConnection) -> Revisions:
    """Compare the database behind `connection` with the code's head."""
    scripts = await asyncio.to_thread(ScriptDirectory, str(HERE))
    return await connection.run_sync(compare, scripts)


async def require_schema(connection: AsyncConnection) -> None:
    """Raise `SchemaMismatch` unless the database is at the code's head, or ahead and serves it."""
    revisions = await read_revisions(connection)
    if not revisions.fit:
        raise SchemaMismatch(revisions)
