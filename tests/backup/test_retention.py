"""Old backups go, and nothing that another backup needs goes with them."""

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.training.backup.errors import BackupRefused
from services.training.backup.progress import Stage
from services.training.backup.restore import check_backup
from services.training.backup.retention import LONGEST, REST, let_go, remove_rested
from services.training.backup.shelf import (
    DUMPS,
    MANIFESTS,
    RETIRED,
    Kept,
    list_backups,
    list_retired,
)
from services.training.backup.take import take_backup
from tests.backup.conftest import PROGRAMS, Elsewhere, Shop, Vault, apart, damage, unread
from tests.conftest import execute
from tests.shared.test_artifacts import bucket, bucket_place

__all__ = ["bucket"]

LATER = REST + timedelta(minutes=1)


def rested(vault: Vault) -> None:
    """A day passes: all that lies there is that much older."""
    for path in vault.root.rglob("*"):
        if path.is_file():
            _grow_older(path)


def _grow_older(path: Path) -> None:
    at = path.stat().st_mtime - LATER.total_seconds()
    os.utime(path, (at, at))


def files(vault: Vault) -> set[str]:
    return {path.name for path in vault.root.rglob("*") if path.is_file()}


async def ids(vault: Vault) -> list[str]:
    return [kept.id for kept in await list_backups(vault.shelf)]


def parts(shop: Shop, kept: Kept) -> set[str]:
    return {kept.manifest.dump.sha256, *kept.manifest.kept()[shop.owner]}


async def whole(vault: Vault, *backups: Kept) -> None:
    for kept in backups:
        await check_backup(kept, vault.shelf, PROGRAMS, unread)


async def unname(shop: Shop) -> None:
    """No row names any artifact, and the model store holds none."""
    named = ("forecasts", "model_aliases", "models", "kept_pools")
    await execute(shop.admin_dsn, *(f"DELETE FROM {table}" for table in named))
    shutil.rmtree(shop.stall.models / shop.owner)


async def test_what_is_older_than_those_that_are_kept_goes_with_all_it_needed_alone(
    shop: Shop, vault: Vault, elsewhere: Elsewhere
) -> None:
    model = await shop.stall.train(1)
    first = await shop.back_up(vault)
    await unname(shop)
    await shop.stall.train(2)
    second, third = await shop.back_up(vault), await shop.back_up(vault)

    assert [kept.id for kept in await let_go(vault.shelf, third, 2)] == [first.id]
    assert await ids(vault) == [third.id, second.id]
    assert await remove_rested(vault.shelf) == 0
    assert model.sha256 in files(vault), "it lies for a day, for who is under way"

    rested(vault)
    only_the_first = parts(shop, first) - parts(shop, second)
    assert model.sha256 in only_the_first
    assert await remove_rested(vault.shelf) == len(only_the_first)
    assert not files(vault) & {*only_the_first, first.id}
    await whole(vault, second, third)
    assert (await elsewhere.restore(vault)).id == third.id


async def test_an_artifact_that_a_kept_backup_names_stays(shop: Shop, vault: Vault) -> None:
    model = await shop.stall.train(1)
    first, second = await shop.back_up(vault), await shop.back_up(vault)
    await let_go(vault.shelf, second, 1)
    rested(vault)
    only_the_first = parts(shop, first) - parts(shop, second)
    assert only_the_first <= {first.manifest.dump.sha256}
    assert await remove_rested(vault.shelf) == len(only_the_first)
    assert {model.sha256, *parts(shop, second)} <= files(vault)
    assert not only_the_first & files(vault)
    await whole(vault, second)


async def test_of_two_who_let_go_at_once_neither_retires_the_later(
    shop: Shop, vault: Vault
) -> None:
    earlier, later = await shop.back_up(vault), await shop.back_up(vault)
    assert await let_go(vault.shelf, earlier, 1) == []
    assert [kept.id for kept in await let_go(vault.shelf, later, 1)] == [earlier.id]
    assert await ids(vault) == [later.id]


async def test_a_backup_under_way_finds_what_it_found_on_the_shelf(
    shop: Shop, vault: Vault
) -> None:
    """While it is under way all others that name the artifact are retired, and their parts go."""
    model = await shop.stall.train(1)
    first = await shop.back_up(vault)
    rested(vault)
    meanwhile = Meanwhile(shop, vault)
    slow = await shop.back_up(vault, meanwhile.all_goes)
    assert meanwhile.retired == [first.id]
    assert model.sha256 in slow.manifest.kept()[shop.owner]
    await whole(vault, slow)
    await remove_rested(vault.shelf, datetime.now(UTC) + LATER)
    await whole(vault, slow)


@pytest.mark.parametrize("trusting", [False, True])
async def test_a_backup_that_begins_later_puts_once_more_what_is_leaving(
    shop: Shop, vault: Vault, trusting: bool
) -> None:
    """What was retired a day ago goes while it is under way, and what it names does not."""
    model = await shop.stall.train(1)
    first = await shop.back_up(vault)
    manifest = vault.file(MANIFESTS, first.id)
    retired = vault.file(RETIRED, first.id)
    retired.parent.mkdir(parents=True)
    manifest.rename(retired)
    rested(vault)
    meanwhile = Meanwhile(shop, vault)
    kept = await shop.back_up(vault, meanwhile.rested_goes, trusting=trusting)
    assert meanwhile.removed == 1, "the dump, and it alone"
    assert model.sha256 in kept.manifest.kept()[shop.owner]
    await whole(vault, kept)


async def test_a_backup_that_takes_longer_than_parts_lie_is_none(shop: Shop, vault: Vault) -> None:
    with pytest.raises(BackupRefused) as refused:
        await take_backup(shop.source(), vault.shelf, unread, longest=timedelta(0))
    assert refused.value.code == "too_slow"
    assert await ids(vault) == []
    assert LONGEST < REST


@pytest.mark.parametrize("where", [MANIFESTS, RETIRED])
async def test_while_a_manifest_cannot_be_read_nothing_goes(
    shop: Shop, vault: Vault, where: str
) -> None:
    await shop.stall.train(1)
    old, kept, new = [await shop.back_up(vault) for _ in range(3)]
    await let_go(vault.shelf, new, 2)
    rested(vault)
    damage(vault.file(where, kept.id if where == MANIFESTS else old.id))
    before = files(vault)
    with pytest.raises(BackupRefused, match="damaged"):
        await remove_rested(vault.shelf)
    if where == MANIFESTS:
        with pytest.raises(BackupRefused, match="damaged"):
            await let_go(vault.shelf, new, 1)
    assert files(vault) == before
    assert await shop.back_up(vault), "and a new one is taken nevertheless"


async def test_a_backup_that_lacks_artifacts_lets_none_go_unless_it_is_allowed(
    shop: Shop, vault: Vault
) -> None:
    model = await shop.stall.train(1)
    whole_one = await shop.back_up(vault)
    shop.lose(model.sha256)
    shutil.rmtree(vault.root / shop.owner)
    poor = await shop.back_up(vault)
    assert poor.manifest.absent
    assert await let_go(vault.shelf, poor, 1) == []
    assert await ids(vault) == [poor.id, whole_one.id]
    assert len(await let_go(vault.shelf, poor, 1, allow_absent=True)) == 1


async def test_what_broke_off_is_ended_by_the_next(shop: Shop, vault: Vault) -> None:
    """Retired and listed still: it is a backup. Parts gone and retired still: it ends."""
    old, new = await shop.back_up(vault), await shop.back_up(vault)
    await vault.shelf.put(RETIRED, old.manifest.to_bytes())
    rested(vault)
    assert await remove_rested(vault.shelf) == 0
    await whole(vault, old, new)

    await let_go(vault.shelf, new, 1)
    rested(vault)
    vault.file(DUMPS, old.manifest.dump.sha256).unlink()
    assert await remove_rested(vault.shelf) == 0
    assert not files(vault) & {old.id}


async def test_in_a_bucket_as_in_a_directory(
    shop: Shop, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shop.stall.train(1)
    shelf = bucket_place(bucket, monkeypatch).store
    old = await take_backup(shop.source(), shelf, unread)
    new = await take_backup(shop.source(), shelf, unread)
    assert len(await let_go(shelf, new, 1)) == 1
    assert await remove_rested(shelf) == 0
    only_the_old = parts(shop, old) - parts(shop, new)
    assert await remove_rested(shelf, datetime.now(UTC) + LATER) == len(only_the_old)
    assert [kept.id for kept in await list_backups(shelf)] == [new.id]
    assert await list_retired(shelf) == []
    await check_backup(new, shelf, PROGRAMS, unread)


class Meanwhile:
    """What others do on the same shelf while a backup is under way: it has looked at what is there,
    and its snapshot is taken."""

    def __init__(self, shop: Shop, vault: Vault) -> None:
        self.shop, self.vault = shop, vault
        self.retired: list[str] = []
        self.removed = 0
        self.done = False

    def all_goes(self, stage: Stage, done: int, total: int) -> None:
        if stage is Stage.DATABASE and not self.done:
            self.done = True
            apart(self._back_up_less())

    def rested_goes(self, stage: Stage, done: int, total: int) -> None:
        if stage is Stage.DATABASE and not self.done:
            self.done = True
            apart(self._remove())

    async def _back_up_less(self) -> None:
        await unname(self.shop)
        less = await self.shop.back_up(self.vault)
        self.retired = [kept.id for kept in await let_go(self.vault.shelf, less, 1)]
        self.removed = await remove_rested(self.vault.shelf, datetime.now(UTC) + LONGEST)

    async def _remove(self) -> None:
        self.removed = await remove_rested(self.vault.shelf)
