"""Upgrade, downgrade and upgrade again on a filled database: the data and the schema are as before.

Read back by `pg_dump`, which knows more of a schema than any list of ours.
"""

import subprocess
from collections.abc import Iterator
from uuid import uuid4

import asyncpg
import pytest
from alembic.script import ScriptDirectory

from services.training.tables import Table
from shared.postgres import RunningPostgres
from shared.postgres.binaries import find_binaries
from tests.conftest import Database, fresh_database
from tests.migrations.chain import downgrade, longer_chain, upgrade
from tests.migrations.rows import fill

STEPS = [
    (script.down_revision, script.revision)
    for script in reversed(list(ScriptDirectory.from_config(longer_chain("")).walk_revisions()))
    if script.down_revision is not None
]
"""Of the first revision nothing but the schema can come back: before it there are no tables."""


def dumped(database: Database, *options: str) -> list[str]:
    program = find_binaries().folder / "pg_dump"
    told = subprocess.run(
        [program, "--dbname", database.admin_dsn, "--exclude-table", "alembic_version", *options],
        capture_output=True,
        text=True,
        check=True,
    )
    of_this_run = ("\\restrict", "\\unrestrict")
    return [line for line in told.stdout.splitlines() if not line.startswith(of_this_run)]


@pytest.fixture(scope="module")
async def filled(postgres_server: RunningPostgres, template: str) -> Iterator[Database]:
    """At the first revision, with rows of two tenants in every table."""
    with fresh_database(postgres_server, template) as made:
        admin = await asyncpg.connect(made.admin_dsn)
        await fill(admin, uuid4(), uuid4())
        for table in Table.metadata.tables:
            assert await admin.fetchval(f"SELECT count(*) FROM {table}") == 2
        await admin.close()
        yield made


@pytest.mark.parametrize(("before", "after"), STEPS, ids=[after for _, after in STEPS])
def test_there_and_back_loses_nothing(filled: Database, before: str, after: str) -> None:
    dsn = filled.migrator_dsn
    at_first = dumped(filled)
    upgrade(dsn, after)
    upgraded = dumped(filled)
    assert upgraded != at_first
    downgrade(dsn, before)
    assert dumped(filled) == at_first
    upgrade(dsn, after)
    assert dumped(filled) == upgraded


def test_the_first_revision_leaves_nothing_and_comes_back_the_same(database: Database) -> None:
    dsn = database.migrator_dsn
    at_first = dumped(database, "--schema-only")
    downgrade(dsn, "base")
    left = [line for line in dumped(database, "--schema-only") if line.startswith("CREATE")]
    assert left == []
    upgrade(dsn, "0001")
    assert dumped(database, "--schema-only") == at_first
