"""Where a database stands and where the code does, and whether the one serves the other.

While a new release is rolled out, processes of the one before run on the newer schema, and may be
started on it. So each revision names in `serves` the revisions whose code may run on what it
leaves, itself among them; the database keeps that as the comment of `alembic_version`, where code
that has never heard of the revision can read it.
"""

from dataclasses import dataclass
from typing import Final

from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

STAMPED: Final = text("SELECT version_num FROM alembic_version")
TOLD: Final = text("SELECT obj_description('alembic_version'::regclass, 'pg_class')")
NOBODY: Final = frozenset[str]()


@dataclass(frozen=True, slots=True)
class Revisions:
    """Where the database stands, where the code does, and whose code the database `serves`."""

    database: str | None
    code: str
    known: frozenset[str]
    serves: frozenset[str] = NOBODY

    @property
    def current(self) -> bool:
        return self.database == self.code

    @property
    def fit(self) -> bool:
        """Whether this code may run on this database: at its head, or at one that serves it."""
        return self.current or self.code in self.serves

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
        ahead = f"the database ({self.database}) is ahead of the code ({self.code})"
        if self.fit:
            return f"{ahead}, and serves it"
        return f"{ahead}: start a release that knows it"


class SchemaMismatch(Exception):
    """The database does not serve this code."""

    def __init__(self, revisions: Revisions) -> None:
        super().__init__(revisions.difference())
        self.revisions = revisions


def compare(connection: Connection, scripts: ScriptDirectory) -> Revisions:
    """The database behind `connection`, beside the code's head."""
    code = scripts.get_current_head()
    assert code is not None, "migrations/versions is part of the package"
    known = frozenset(script.revision for script in scripts.walk_revisions())
    try:
        with connection.begin_nested():
            database = connection.scalar(STAMPED)
            told = connection.scalar(TOLD)
    except ProgrammingError:  # no such table: nothing was ever migrated here
        return Revisions(None, code, known)
    return Revisions(database, code, known, _served(told, database))


def _served(told: str | None, database: str | None) -> frozenset[str]:
    """Of the comment; of another revision's it counts for nothing."""
    revision, _, served = (told or "").partition(" serves ")
    return frozenset(served.split()) if revision == database else NOBODY


def tell_served(connection: Connection, script: Script) -> None:
    """Note in the database, in the transaction of the revision, whose code it serves."""
    told = f"{script.revision} serves {' '.join(served_by(script))}"
    connection.exec_driver_sql(f"COMMENT ON TABLE alembic_version IS '{told}'")


def served_by(script: Script) -> tuple[str, ...]:
    """What the revision's file says. Raises ValueError where that cannot be true."""
    served: tuple[str, ...] = script.module.serves
    if script.revision not in served or not all(name.isalnum() for name in served):
        raise ValueError(
            f"revision {script.revision} serves {served}: name the revisions whose code may run "
            "on it, letters and digits each, itself among them"
        )
    return served
