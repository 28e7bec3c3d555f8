"""A backup holds every artifact that its dump names, taken while others work."""

import pytest

from services.training.backup.errors import BackupRefused
from services.training.backup.manifest import Manifest
from services.training.backup.progress import Stage
from services.training.backup.restore import check_backup, restore_backup
from services.training.backup.shelf import MANIFESTS, list_backups
from services.training.backup.take import Source, take_backup
from shared.artifacts import open_store
from tests.backup.conftest import PROGRAMS, Elsewhere, Shop, Vault, apart, damage, unread
from tests.conftest import Database, execute
from tests.shared.test_artifacts import bucket, bucket_place

__all__ = ["bucket"]

POOLS = b"the weights of all rolls"


async def test_a_backup_lies_under_the_digest_of_what_it_says(shop: Shop, vault: Vault) -> None:
    await shop.stall.train(1)
    kept = await shop.back_up(vault)
    assert vault.file(MANIFESTS, kept.id).read_bytes() == kept.manifest.to_bytes()
    assert Manifest.from_bytes(kept.manifest.to_bytes()) == kept.manifest
    assert [found.id for found in await list_backups(vault.shelf)] == [kept.id]
    await check_backup(kept, vault.shelf, PROGRAMS, unread)


async def test_what_is_there_is_not_copied_again(shop: Shop, vault: Vault) -> None:
    first = await shop.stall.train(1)
    await shop.back_up(vault)
    place = vault.file(shop.owner, first.sha256)
    before = place.stat()
    second = await shop.stall.train(2)
    kept = await shop.back_up(vault)
    assert (place.stat().st_ino, place.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert set(kept.manifest.artifacts[shop.owner]) >= {first.sha256, second.sha256}


async def test_what_is_there_and_damaged_is_mended_unless_its_name_is_trusted(
    shop: Shop, vault: Vault
) -> None:
    model = await shop.stall.train(1)
    await shop.back_up(vault)
    damage(vault.file(shop.owner, model.sha256))
    quick = await shop.back_up(vault, trusting=True)
    with pytest.raises(BackupRefused, match="1 artifacts"):
        await check_backup(quick, vault.shelf, PROGRAMS, unread)
    await shop.back_up(vault)
    await check_backup(quick, vault.shelf, PROGRAMS, unread)


async def test_an_artifact_deleted_between_dump_and_copy_has_the_dump_taken_anew(
    shop: Shop, vault: Vault
) -> None:
    """Named after the first copies were made, and let go once the snapshot has been taken."""
    kept_pools = Pools(shop)
    kept = await shop.back_up(vault, kept_pools.come_and_go)
    assert kept_pools.dumps == 2
    assert kept.manifest.absent == {}
    assert kept.manifest.rows["kept_pools"] == 0
    assert kept_pools.sha256 not in kept.manifest.artifacts.get(shop.owner, [])


async def test_an_artifact_that_comes_meanwhile_and_stays_is_in_it(
    shop: Shop, vault: Vault
) -> None:
    kept_pools = Pools(shop)
    kept = await shop.back_up(vault, kept_pools.come)
    assert kept_pools.dumps == 1
    assert kept.manifest.rows["kept_pools"] == 1
    assert await vault.shelf.get(shop.owner, kept_pools.sha256) == POOLS


async def test_the_dump_is_of_the_moment_at_which_its_artifacts_were_asked_for(
    shop: Shop, vault: Vault, elsewhere: Elsewhere
) -> None:
    """What is named after that, and before `pg_dump` begins, is in neither."""
    kept_pools = Pools(shop)
    await shop.back_up(vault, kept_pools.come_late)
    await elsewhere.restore(vault)
    assert kept_pools.sha256
    assert await elsewhere.fetch("SELECT FROM kept_pools") == []


async def test_an_artifact_that_is_lost_is_told_and_the_rest_is_kept(
    shop: Shop, vault: Vault, elsewhere: Elsewhere
) -> None:
    lost, damaged, sound = [await shop.stall.train(number) for number in (1, 2, 3)]
    shop.lose(lost.sha256)
    shop.stall.damage(damaged)
    kept = await shop.back_up(vault)
    assert kept.manifest.absent == {shop.owner: sorted([lost.sha256, damaged.sha256])}
    await elsewhere.restore(vault)
    assert await elsewhere.target().artifacts.get(shop.owner, sound.sha256)


async def test_a_login_that_does_not_see_every_tenant_is_refused(
    shop: Shop, vault: Vault, database: Database
) -> None:
    blind = Source(database.migrator_dsn, shop.stall.artifacts, PROGRAMS, "0.0.0")
    with pytest.raises(BackupRefused, match="BYPASSRLS") as refused:
        await take_backup(blind, vault.shelf, unread)
    assert refused.value.code == "login_refused"
    assert not any(vault.root.rglob("*"))


async def test_a_shop_comes_back_from_a_bucket(
    shop: Shop,
    vault: Vault,
    elsewhere: Elsewhere,
    bucket: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:

    model = await shop.stall.train(1)
    shelf = bucket_place(bucket, monkeypatch).store
    kept = await take_backup(shop.source(), shelf, unread)
    again = await take_backup(shop.source(), shelf, unread, trusting=True)
    assert [found.id for found in await list_backups(shelf)] == [again.id, kept.id]
    await restore_backup(again, shelf, elsewhere.target(), unread)
    assert await elsewhere.target().artifacts.get(shop.owner, model.sha256)


class Pools:
    """Kept pools that come, and perhaps go, at moments of a backup that its progress tells."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.sha256 = ""
        self.dumps = 0

    def come(self, stage: Stage, done: int, total: int) -> None:
        if stage is Stage.ARTIFACTS and done == total and not self.sha256:
            apart(self._come())
        self.dumps += stage is Stage.DATABASE and done == 0

    def come_and_go(self, stage: Stage, done: int, total: int) -> None:
        self.come(stage, done, total)
        if stage is Stage.DATABASE and (self.dumps, done) == (1, 0):
            apart(self._go())

    def come_late(self, stage: Stage, done: int, total: int) -> None:
        if stage is Stage.DATABASE and not self.sha256:
            apart(self._come())

    async def _come(self) -> None:
        store = open_store(self.shop.stall.models)
        self.sha256 = (await store.put(self.shop.owner, POOLS)).sha256
        await execute(
            self.shop.admin_dsn,
            "INSERT INTO kept_pools (tenant_id, job_id, horizon_days, training_window_days, engine,"
            f" series, data_through, sha256, bytes) VALUES ('{self.shop.owner}', "
            f"gen_random_uuid(), 7, 1095, 1, 3, '2026-01-01', '{self.sha256}', {len(POOLS)})",
        )

    async def _go(self) -> None:
        await execute(self.shop.admin_dsn, "DELETE FROM kept_pools")
        await open_store(self.shop.stall.models).delete(self.shop.owner, self.sha256)
