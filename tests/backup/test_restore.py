"""What is restored is what was there, and a backup with any damage changes nothing."""

import asyncio
import shutil

import asyncpg
import pytest

import migrations
from services.training.app import create_app
from services.training.backup.errors import BackupRefused
from services.training.backup.restore import check_backup
from services.training.backup.shelf import DUMPS, MANIFESTS, find_backup
from tests.backup.conftest import PROGRAMS, Elsewhere, Shop, Vault, damage, unread
from tests.conftest import client_of, execute, settings_for

ASKED = (
    "/api/v1/forecasts?product=roll",
    "/api/v1/forecasts?product=bun",
    "/api/v1/forecasts?product=roll&days=14",
    "/api/v1/models",
    "/api/v1/sales?product=roll&format=csv",
    "/api/v1/products",
    "/api/v1/audit-log",
)


async def answers_of(shop: Shop, elsewhere: Elsewhere | None = None) -> list[bytes]:
    """What the shop's own key is told there: statuses and bodies."""
    if elsewhere is None:
        found = [await shop.stall.tenant.client.get(path) for path in ASKED]
        return [b"%d %s" % (answer.status_code, answer.content) for answer in found]
    application = create_app(settings_for(elsewhere.database.api_dsn, elsewhere.folder))
    async with (
        application.router.lifespan_context(application),
        client_of(application, shop.stall.tenant.key) as client,
    ):
        found = [await client.get(path) for path in ASKED]
    return [b"%d %s" % (answer.status_code, answer.content) for answer in found]


async def test_all_is_answered_byte_for_byte_as_before(
    shop: Shop, vault: Vault, elsewhere: Elsewhere
) -> None:
    await shop.stall.train(1)
    bun = await shop.stall.train(2, "bun")
    before = await answers_of(shop)
    assert all(answer.startswith(b"200") for answer in before), before

    kept = await shop.back_up(vault)
    await elsewhere.restore(vault)

    assert await answers_of(shop, elsewhere) == before
    data = await elsewhere.target().artifacts.get(shop.owner, bun.sha256)
    assert data == await shop.stall.artifacts.get(shop.owner, bun.sha256)
    assert set(kept.manifest.artifacts[shop.owner]) == await shop.named()


async def test_what_comes_back_has_its_owners_its_walls_and_its_grants(
    shop: Shop, vault: Vault, elsewhere: Elsewhere
) -> None:
    described = (
        "SELECT relname, relkind::text, pg_get_userbyid(relowner), relrowsecurity, "
        "relforcerowsecurity, array(SELECT unnest(relacl)::text ORDER BY 1) FROM pg_class "
        "WHERE relnamespace = 'public'::regnamespace ORDER BY relname",
        "SELECT proname, pg_get_userbyid(proowner), prosecdef, proconfig, prosrc, "
        "array(SELECT unnest(proacl)::text ORDER BY 1) FROM pg_proc "
        "WHERE pronamespace = 'public'::regnamespace ORDER BY proname",
        "SELECT * FROM pg_policies ORDER BY tablename, policyname",
        "SELECT attrelid::regclass::text, attname, array(SELECT unnest(attacl)::text ORDER BY 1) "
        "FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid "
        "WHERE relnamespace = 'public'::regnamespace AND attacl IS NOT NULL ORDER BY 1, 2",
    )
    admin = await asyncpg.connect(shop.admin_dsn)
    before = [await admin.fetch(query) for query in described]
    await admin.close()

    await shop.back_up(vault)
    await elsewhere.restore(vault)

    assert [await elsewhere.fetch(query) for query in described] == before


@pytest.mark.parametrize("how", ["damaged", "left out"])
@pytest.mark.parametrize("part", ["manifest", "dump", "artifact"])
async def test_a_backup_with_any_damage_is_refused_and_changes_nothing(
    shop: Shop, vault: Vault, elsewhere: Elsewhere, part: str, how: str
) -> None:
    model = await shop.stall.train(1)
    kept = await shop.back_up(vault)
    path = {
        "manifest": vault.file(MANIFESTS, kept.id),
        "dump": vault.file(DUMPS, kept.manifest.dump.sha256),
        "artifact": vault.file(shop.owner, model.sha256),
    }[part]
    if how == "damaged":
        damage(path)
    else:
        path.unlink()

    with pytest.raises(BackupRefused) as refused:
        await elsewhere.restore(vault)

    nothing_there = (part, how) == ("manifest", "left out")
    assert refused.value.code == ("no_backup" if nothing_there else "backup_damaged")
    assert await elsewhere.tables() == 0
    if part != "manifest":
        with pytest.raises(BackupRefused, match=r"missing|damaged"):
            await check_backup(kept, vault.shelf, PROGRAMS, unread)


async def test_a_damaged_manifest_does_not_let_an_older_backup_pass_for_the_newest(
    shop: Shop, vault: Vault, elsewhere: Elsewhere
) -> None:
    older = await shop.back_up(vault)
    newer = await shop.back_up(vault)
    assert (await find_backup(vault.shelf, None)).id == newer.id
    damage(vault.file(MANIFESTS, newer.id))
    with pytest.raises(BackupRefused, match=f"manifest of backup {newer.id} is damaged"):
        await elsewhere.restore(vault)
    assert (await elsewhere.restore(vault, older.id[:12])).id == older.id


async def test_a_database_that_holds_anything_is_replaced_only_by_force(
    shop: Shop, vault: Vault, elsewhere: Elsewhere
) -> None:
    await shop.back_up(vault)
    await _fill(elsewhere)
    with pytest.raises(BackupRefused, match=r"1 of them tenants.*--force") as refused:
        await elsewhere.restore(vault)
    assert refused.value.code == "database_not_empty"
    assert await _tenants(elsewhere) == ["another"]

    await elsewhere.restore(vault, force=True)

    assert await _tenants(elsewhere) == ["Bäckerei Morgenrot"]


async def test_a_restoration_that_breaks_off_leaves_what_was_there(
    shop: Shop, vault: Vault, elsewhere: Elsewhere
) -> None:
    """It fails at the first index, when the old tables are gone and the rows are in the new."""
    await shop.back_up(vault)
    await _fill(elsewhere)
    await execute(
        elsewhere.database.admin_dsn,
        "CREATE SCHEMA faults",
        "CREATE FUNCTION faults.no_index() RETURNS event_trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE 'no index today'; END $$",
        "CREATE EVENT TRIGGER no_index ON ddl_command_start WHEN TAG IN ('CREATE INDEX') "
        "EXECUTE FUNCTION faults.no_index()",
    )
    with pytest.raises(BackupRefused, match="no index today"):
        await elsewhere.restore(vault, force=True)
    assert await _tenants(elsewhere) == ["another"]


async def test_a_database_that_is_in_use_is_not_touched(
    shop: Shop, vault: Vault, elsewhere: Elsewhere
) -> None:
    await shop.back_up(vault)
    busy = await asyncpg.connect(elsewhere.database.api_dsn)
    with pytest.raises(BackupRefused, match="morrow_api have sessions") as refused:
        await elsewhere.restore(vault)
    await busy.close()
    assert refused.value.code == "database_in_use"
    assert await elsewhere.tables() == 0


async def test_a_database_ahead_of_the_backup_is_not_taken_back(
    shop: Shop, vault: Vault, elsewhere: Elsewhere
) -> None:
    await shop.back_up(vault)
    await _fill(elsewhere)
    await execute(elsewhere.database.admin_dsn, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(BackupRefused, match="at 9999, ahead of the backup"):
        await elsewhere.restore(vault, force=True)
    assert await _tenants(elsewhere) == ["another"]


async def test_a_backup_of_a_later_release_is_refused(
    shop: Shop, vault: Vault, elsewhere: Elsewhere
) -> None:
    await execute(shop.admin_dsn, "UPDATE alembic_version SET version_num = '9999'")
    await shop.back_up(vault)
    with pytest.raises(BackupRefused, match=r"revision 9999, made by release 0\.0\.0") as refused:
        await elsewhere.restore(vault)
    assert refused.value.code == "revision_unknown"
    assert await elsewhere.tables() == 0


async def test_artifacts_that_are_there_already_stay_and_damaged_ones_are_mended(
    shop: Shop, vault: Vault, elsewhere: Elsewhere
) -> None:
    model = await shop.stall.train(1)
    await shop.back_up(vault)
    shutil.copytree(shop.stall.models, elsewhere.models)
    place = elsewhere.models / shop.owner / model.sha256[:2] / model.sha256
    damage(place)
    await elsewhere.restore(vault)
    assert place.read_bytes() == await shop.stall.artifacts.get(shop.owner, model.sha256)


async def _fill(elsewhere: Elsewhere) -> None:
    """The code's schema, and somebody else's tenant."""
    await asyncio.to_thread(migrations.upgrade, elsewhere.database.migrator_dsn)
    await execute(
        elsewhere.database.admin_dsn,
        "INSERT INTO tenants (tenant_id, name, slug, country, timezone, plan) VALUES "
        "(gen_random_uuid(), 'another', 'another', 'DE', 'Europe/Berlin', 'standard')",
    )


async def _tenants(elsewhere: Elsewhere) -> list[str]:
    return [row["name"] for row in await elsewhere.fetch("SELECT name FROM tenants")]
