"""A rehearsal brings a backup back, and tells what a restoration would fail of."""

from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from services.training.backup.errors import BackupRefused
from services.training.backup.manifest import Manifest
from services.training.backup.rehearsal import Scratch, rehearse
from services.training.backup.shelf import DUMPS, Kept, keep
from services.training.commands.backup_places import scratch_server
from tests.backup.conftest import PROGRAMS, Elsewhere, Shop, Vault, damage, unread
from tests.conftest import execute


@pytest.fixture
def scratch(elsewhere: Elsewhere) -> Scratch:
    return Scratch(elsewhere.dsn, elsewhere.database.migrator_dsn, PROGRAMS)


def test_the_server_of_a_rehearsal_is_its_own_and_gone_afterwards() -> None:
    with scratch_server(None) as opened:
        folder = Path(str(make_url(opened.dsn).query["host"]))
        assert folder.is_dir()
    assert not folder.parent.exists()


async def test_the_database_comes_back_and_the_artifacts_are_read(
    shop: Shop, vault: Vault, scratch: Scratch, elsewhere: Elsewhere
) -> None:
    await shop.stall.train(1)
    kept = await shop.back_up(vault)
    await rehearse(kept, vault.shelf, scratch, unread)
    for table, rows in kept.manifest.rows.items():
        [found] = await elsewhere.fetch(f"SELECT count(*) AS rows FROM {table}")
        assert found["rows"] == rows
    assert not elsewhere.models.exists()


@pytest.mark.parametrize("part", ["dump", "artifact"])
async def test_damage_is_told_before_anything_is_restored(
    shop: Shop, vault: Vault, scratch: Scratch, elsewhere: Elsewhere, part: str
) -> None:
    model = await shop.stall.train(1)
    kept = await shop.back_up(vault)
    owner, sha256 = (
        (DUMPS, kept.manifest.dump.sha256) if part == "dump" else (shop.owner, model.sha256)
    )
    damage(vault.file(owner, sha256))
    with pytest.raises(BackupRefused) as refused:
        await rehearse(kept, vault.shelf, scratch, unread)
    assert refused.value.code == "backup_damaged"
    assert await elsewhere.tables() == 0


async def changed(vault: Vault, kept: Kept, **fields: object) -> Kept:
    return await keep(
        vault.shelf, Manifest.model_validate({**kept.manifest.model_dump(), **fields})
    )


async def test_a_dump_that_is_not_what_its_manifest_says_is_told(
    shop: Shop, vault: Vault, scratch: Scratch
) -> None:
    await shop.stall.train(1)
    kept = await shop.back_up(vault)
    rows = await changed(vault, kept, rows={**kept.manifest.rows, "tenants": 7})
    with pytest.raises(BackupRefused, match="not as many rows came back"):
        await rehearse(rows, vault.shelf, scratch, unread)
    unnamed = await changed(vault, kept, artifacts={})
    with pytest.raises(BackupRefused, match="names what the manifest does not"):
        await rehearse(unnamed, vault.shelf, scratch, unread)


async def test_a_whole_backup_that_cannot_be_restored_is_told(
    shop: Shop, vault: Vault, scratch: Scratch
) -> None:
    """Every digest is right, and something in the dump is nowhere to be had: reading it does not
    tell."""
    await execute(
        shop.admin_dsn,
        "CREATE SCHEMA elsewhere",
        "CREATE FUNCTION elsewhere.one() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "ALTER TABLE tenants ADD COLUMN odd integer DEFAULT elsewhere.one()",
    )
    kept = await shop.back_up(vault)
    with pytest.raises(BackupRefused, match='schema "elsewhere" does not exist'):
        await rehearse(kept, vault.shelf, scratch, unread)
