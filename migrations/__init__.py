"""The database's history: `upgrade` brings a database to the code's head, `heads` compares them."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Revisions:
    """Where the database stands, and where the code does."""

    database: str | None
    code: str
    known: frozenset[str]

    @property
    def current(self) -> bool:
        return self.database == self.code

    def difference(self) -> str:
        """Which of the two is ahead, and the way out."""
        if self.current:
            return f"the database is at {self.code}"
        if self.database is None:
            return f"the database is empty, the code is at {self.code}: run `morrow migrate`"
        if self.database in self.known:
            return (
                f"the code ({self.code}) is ahead of the database ({self.database}): "
                "run `morrow migrate`"
            )
        return (
            f"the database ({self.database}) is ahead of the code ({self.code}): "
            "start a release that knows it"
        )


class SchemaMismatch(Exception):
    """The database is not at the code's head."""

    def __init__(self, revisions: Revisions) -> None:
        super().__init__(revisions.difference())
        self.revisions = revisions


def configuration(dsn: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.attributes["dsn"] = dsn
    return config


def upgrade(dsn: str, revision: str = "head") -> None:
    """Bring the database at `dsn` up to `revision`, as a login that may change the schema."""
    command.upgrade(configuration(dsn), revision)


def downgrade(dsn: str, revision: str) -> None:
    command.downgrade(configuration(dsn), revision)


def known_revisions() -> frozenset[str]:
    """Every revision that this code can bring a database to."""
    scripts = ScriptDirectory(str(HERE))
    return frozenset(script.revision for script in scripts.walk_revisions())


async def read_revisions(connection: AsyncConnection) -> Revisions:
    """Compare the database behind `connection` with the code's head."""
    scripts = await asyncio.to_thread(ScriptDirectory, str(HERE))
    code = scripts.get_current_head()
    assert code is not None, "migrations/versions is part of the package"
    known = frozenset(script.revision for script in scripts.walk_revisions())
    return Revisions(await _stamped(connection), code, known)


async def _stamped(connection: AsyncConnection) -> str | None:
    try:
        async with connection.begin_nested():
            found = await connection.execute(text("SELECT version_num FROM alembic_version"))
    except ProgrammingError:  # no such table: nothing was ever migrated here
        return None
    return found.scalar_one_or_none()


async def require_head(connection: AsyncConnection) -> None:
    """Raise `SchemaMismatch` unless the database is at the code's head."""
    revisions = await read_revisions(connection)
    if not revisions.current:
        raise SchemaMismatch(revisions)
