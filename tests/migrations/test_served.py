"""Code of the release before runs on, and starts on, a schema that serves it; and on no other."""

import asyncio
from pathlib import Path

import httpx
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import create_async_engine

import migrations
from migrations import Revisions, SchemaMismatch
from migrations.revisions import served_by
from services.training.startup import require_safe_start
from shared.database import service_url
from shared.roles import API
from tests.conftest import Database, settings_for
from tests.migrations.chain import downgrade, longer_chain, upgrade_apart


async def revisions_of(database: Database) -> Revisions:
    engine = create_async_engine(service_url(database.api_dsn))
    try:
        async with engine.connect() as connection:
            return await migrations.read_revisions(connection)
    finally:
        await engine.dispose()


async def test_the_release_before_stays_ready_and_starts_on_what_serves_it(
    database: Database, api: httpx.AsyncClient, tmp_path: Path
) -> None:
    await upgrade_apart(database.migrator_dsn, "9002")
    ready = await api.get("/health/ready")
    assert ready.json()["checks"]["migrations"]["status"] == "ok", ready.text
    await require_safe_start(settings_for(database.api_dsn, tmp_path), API)
    found = await revisions_of(database)
    assert found.fit
    assert not found.current
    assert found.difference() == "the database (9002) is ahead of the code (0001), and serves it"


async def test_code_that_is_served_no_more_is_refused(
    database: Database, api: httpx.AsyncClient, tmp_path: Path
) -> None:
    await upgrade_apart(database.migrator_dsn, "9003")
    ready = await api.get("/health/ready")
    assert "start a release that knows it" in ready.json()["checks"]["migrations"]["detail"]
    with pytest.raises(SchemaMismatch, match=r"database \(9003\) is ahead of the code \(0001\)"):
        await require_safe_start(settings_for(database.api_dsn, tmp_path), API)
    with pytest.raises(SchemaMismatch):
        await asyncio.to_thread(migrations.upgrade, database.migrator_dsn)


async def test_to_migrate_with_the_release_before_leaves_what_serves_it(database: Database) -> None:
    await upgrade_apart(database.migrator_dsn, "9002")
    await asyncio.to_thread(migrations.upgrade, database.migrator_dsn)
    assert (await revisions_of(database)).database == "9002"


async def test_who_is_served_is_told_on_the_way_down_too(database: Database) -> None:
    await upgrade_apart(database.migrator_dsn, "9003")
    await asyncio.to_thread(downgrade, database.migrator_dsn, "9002")
    assert (await revisions_of(database)).serves == {"0001", "9001", "9002"}


def test_every_revision_serves_itself_and_those_right_before_it() -> None:
    """Without a gap: whoever is served stays so until a later revision ends it."""
    config = longer_chain("")
    scripts = list(reversed(list(ScriptDirectory.from_config(config).walk_revisions())))
    names = [script.revision for script in scripts]
    for number, script in enumerate(scripts, 1):
        served = served_by(script)
        assert list(served) == names[number - len(served) : number], script.revision
