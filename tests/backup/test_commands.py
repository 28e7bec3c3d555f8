"""`morrow backup`, `backups` and `restore`, as one types them."""

import asyncio
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import migrations
from shared.postgres import EmbeddedPostgres, RunningPostgres
from shared.roles import MIGRATOR
from tests.commands.run_morrow import answer, morrow
from tests.conftest import Database, execute, fresh_database

TENANT = (
    "INSERT INTO tenants (tenant_id, name, slug, country, timezone, plan) VALUES "
    "(gen_random_uuid(), 'Kiosk', 'kiosk', 'DE', 'Europe/Berlin', 'standard')"
)
LOST = (
    "INSERT INTO kept_pools (tenant_id, job_id, horizon_days, training_window_days, engine, "
    "series, data_through, sha256, bytes) "
    "SELECT tenant_id, gen_random_uuid(), 7, 1095, 1, 3, '2026-01-01', "
    f"'{'a' * 64}', 3 FROM tenants"
)


@pytest.fixture
def elsewhere(postgres_server: RunningPostgres) -> Iterator[Database]:
    with fresh_database(postgres_server, "template0") as made:
        yield made


def variables(database: Database, models: Path) -> dict[str, str]:
    return {
        "DATABASE_URL": database.api_dsn,
        "MIGRATION_DATABASE_URL": database.migrator_dsn,
        "BACKUP_DATABASE_URL": database.admin_dsn,
        "MODEL_STORAGE_PATH": str(models),
    }


def refusal(*arguments: str, **given: str) -> dict[str, Any]:
    """The failure that is told to machines."""
    done = morrow(*arguments, "--json", **given)
    assert done.exit_code == 1, done.output
    told: dict[str, Any] = json.loads(done.stdout)["error"]
    return told


def test_from_one_server_to_another(
    database: Database, elsewhere: Database, tmp_path: Path
) -> None:
    asyncio.run(execute(database.admin_dsn, TENANT))
    here = variables(database, tmp_path / "models")
    there = variables(elsewhere, tmp_path / "elsewhere")
    vault = str(tmp_path / "vault")

    made = answer(morrow("backup", vault, "--json", **here))
    assert (made["tenants"], made["absent"]) == (1, 0)
    assert answer(morrow("backups", vault, "--json")) == [made]
    assert answer(morrow("restore", vault, "--check", "--json"))["checked"]
    rehearsed = answer(morrow("restore", vault, "--rehearse", "--json"))
    assert (rehearsed["rehearsed"], rehearsed["restored"]) == (True, False)
    done = answer(morrow("restore", vault, "--backup", made["backup"][:8], "--json", **there))
    assert done == {
        "backup": made["backup"],
        "taken_at": made["taken_at"],
        "checked": False,
        "rehearsed": False,
        "restored": True,
        "absent": {},
    }
    assert refusal("restore", vault, **there)["code"] == "database_not_empty"
    assert made["backup"] in morrow("restore", vault, "--force", **there).output
    assert made["backup"] in morrow("backups", vault).output


def test_what_is_lost_ends_with_one_unless_it_is_allowed(
    database: Database, tmp_path: Path
) -> None:
    asyncio.run(execute(database.admin_dsn, TENANT, LOST))
    here = variables(database, tmp_path / "models")
    told = morrow("backup", str(tmp_path / "vault"), "--json", **here)
    assert (told.exit_code, json.loads(told.stdout)["absent"]) == (1, 1)
    allowed = morrow("backup", str(tmp_path / "vault"), "--allow-absent", **here)
    assert allowed.exit_code == 0
    assert "absent: 1 artifacts" in allowed.output


def test_old_backups_go_once_the_new_one_is_verified(database: Database, tmp_path: Path) -> None:
    asyncio.run(execute(database.admin_dsn, TENANT))
    here = variables(database, tmp_path / "models")
    vault = str(tmp_path / "vault")
    first = answer(morrow("backup", vault, "--keep", "1", "--json", **here))
    assert first["let_go"] == []
    second = answer(morrow("backup", vault, "--keep", "1", "--json", **here))
    assert second["let_go"] == [first["backup"]]
    [listed] = answer(morrow("backups", vault, "--json"))
    assert listed["backup"] == second["backup"]
    assert morrow("backup", vault, "--keep", "0", **here).exit_code == 2

    manifest = next((tmp_path / "vault/backups").rglob(second["backup"]))
    manifest.write_bytes(b"{}")
    told = refusal("backup", vault, "--keep", "1", **here)
    assert told["code"] == "backup_damaged"
    assert "was taken, and no other was let go" in told["detail"]
    assert len(list((tmp_path / "vault/backups/").rglob("?" * 64))) == 2


def test_what_cannot_be_done_is_told_with_the_way_out(database: Database, tmp_path: Path) -> None:
    models = tmp_path / "models"
    here = variables(database, models)
    vault = str(tmp_path / "vault")
    assert refusal("backup", str(models), **here)["code"] == "same_place"
    assert refusal("restore", vault, **here)["code"] == "no_backup"
    (tmp_path / "vault").mkdir()
    assert refusal("restore", vault, **here)["code"] == "no_backup"
    assert refusal("backup", vault, "--data-dir", str(tmp_path))["code"] == "no_database"
    nowhere = here | {"BACKUP_DATABASE_URL": "postgresql://me:canary@127.0.0.1:1/none"}
    lost = refusal("backup", vault, **nowhere)
    assert "canary" not in str(lost)
    with fresh_database(database.server, "template0") as bare:
        nothing = refusal("backup", vault, **variables(bare, models))
    assert nothing["code"] == "nothing_there"
    without = refusal("backup", vault, "--pg-bindir", str(tmp_path), **here)
    assert without["code"] == "program_missing"


def test_from_one_data_directory_to_another() -> None:
    """The embedded server runs at first, as under `morrow up`, and then it does not."""
    with tempfile.TemporaryDirectory(prefix="morrow-data-") as folder:
        root = Path(folder)
        root.chmod(0o711)
        (root / "here").mkdir(mode=0o711)
        vault = str(root / "vault")
        with EmbeddedPostgres(fsync=False).start(root / "here" / "postgres") as server:
            migrations.upgrade(server.url(MIGRATOR))
            asyncio.run(execute(server.url(), TENANT))
            made = answer(morrow("backup", vault, "--data-dir", str(root / "here"), "--json"))
        assert made["tenants"] == 1
        there = ("--data-dir", str(root / "there"))
        assert answer(morrow("restore", vault, *there, "--json"))["restored"]
        again = answer(morrow("backup", vault, *there, "--json"))
        assert (again["rows"], again["tenants"]) == (made["rows"], 1)
