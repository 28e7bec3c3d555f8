"""`morrow doctor` finds what was planted, and only that."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import asyncpg
import pytest

from services.training.commands.checks.database import check_database
from services.training.commands.checks.keys import check_keys
from services.training.commands.checks.machine import check_model_store
from services.training.commands.checks.target import Target
from services.training.commands.checks.verdict import Verdict
from tests.conftest import Database, settings_for

GOOD_KEY = "kiosk-7-lynx-quagmire-9"


def health(verdicts: list[Verdict]) -> dict[str, str]:
    return {verdict.check: verdict.health.value for verdict in verdicts}


def sick(verdicts: list[Verdict]) -> dict[str, str]:
    return {it.check: it.message for it in verdicts if it.health in {"failed", "warning"}}


def target_of(database: Database) -> Target:
    return Target("the test's", lambda role: database.server.url(role, database.name))


async def as_admin(database: Database, *statements: str) -> None:
    connection = await asyncpg.connect(database.admin_dsn)
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


async def test_a_sound_database_passes_every_check(database: Database) -> None:
    verdicts = await check_database(target_of(database))
    assert set(health(verdicts).values()) == {"ok"}
    assert len(verdicts) == 10


@pytest.mark.parametrize(
    ("planted", "check", "told"),
    [
        ("UPDATE alembic_version SET version_num = '9999'", "migrations", "(9999) is ahead"),
        ("DELETE FROM alembic_version", "migrations", "run `morrow migrate`"),
        ("ALTER TABLE sales OWNER TO morrow_api", "morrow_api", "morrow_api owns sales"),
        ("ALTER TABLE sales NO FORCE ROW LEVEL SECURITY", "tenant walls", "forced on sales"),
        ("ALTER TABLE models DISABLE ROW LEVEL SECURITY", "tenant walls", "forced on models"),
    ],
)
async def test_a_fault_of_the_database_is_found_by_name(
    database: Database, planted: str, check: str, told: str
) -> None:
    await as_admin(database, planted)
    found = sick(await check_database(target_of(database)))
    assert list(found) == [check]
    assert told in found[check]


async def test_what_the_leader_did_last_is_told_and_what_failed(database: Database) -> None:
    tenants = [f"00000000-0000-0000-0000-00000000000{number}" for number in (1, 2)]
    for tenant_id in tenants:
        await as_admin(
            database,
            "INSERT INTO tenants (tenant_id, name, slug, country, timezone, plan) "
            f"VALUES ('{tenant_id}', 'a', '{tenant_id}', 'DE', 'Europe/Berlin', 'standard')",
            "INSERT INTO periodic_runs (tenant_id, name, number, next_at, ended_at, worker) "
            f"VALUES ('{tenant_id}', 'pruning', 1, now(), now() - interval '90 s', 'w1')",
        )
    told = {it.check: it.message for it in await check_database(target_of(database))}
    assert told["periodic work"] in {f"pruning {s} s ago, of 2 tenants" for s in range(90, 120)}
    await as_admin(database, f"UPDATE periodic_runs SET error = 'E' WHERE tenant_id='{tenants[0]}'")
    found = sick(await check_database(target_of(database)))
    assert "failed last: pruning for 1" in found["periodic work"]


@pytest.mark.parametrize(
    ("planted", "mended", "told"),
    [
        ("ALTER ROLE morrow_worker BYPASSRLS", "ALTER ROLE morrow_worker NOBYPASSRLS", "BYPASS"),
        (
            "GRANT morrow_owner TO morrow_worker",
            "REVOKE morrow_owner FROM morrow_worker",
            "may become morrow_owner",
        ),
    ],
)
async def test_a_role_that_sees_every_tenant_is_found(
    database: Database, planted: str, mended: str, told: str
) -> None:
    await as_admin(database, planted)
    try:
        found = sick(await check_database(target_of(database)))
    finally:
        await as_admin(database, mended)
    assert told in found["morrow_worker"]


async def test_a_superuser_that_only_steps_down_is_a_warning(database: Database) -> None:
    verdicts = await check_database(Target("the test's", lambda role: database.admin_dsn))
    assert health(verdicts)["morrow_api"] == "warning"
    assert "a login of its own" in sick(verdicts)["morrow_api"]


async def test_a_database_that_is_not_there_skips_what_needs_it() -> None:
    nowhere = Target("none", lambda role: f"postgresql://{role}:secret@127.0.0.1:1/morrow")
    verdicts = await check_database(nowhere)
    assert health(verdicts).pop("database") == "failed"
    assert [it.health.value for it in verdicts[1:]] == ["skipped"] * 8
    assert not any("secret" in it.message for it in verdicts)


@pytest.mark.parametrize(("wrong", "told"), [(60.0, "ahead of"), (-60.0, "behind")])
async def test_a_wrong_clock_is_found(database: Database, wrong: float, told: str) -> None:
    verdicts = await check_database(target_of(database), clock=lambda: time.time() + wrong)
    assert "5 s are allowed" in sick(verdicts)["clock"]
    assert told in sick(verdicts)["clock"]


@pytest.mark.parametrize("place", ["file", "file/below"])
async def test_a_store_that_cannot_be_written_is_found(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    settings = settings_for("postgresql://", tmp_path, model_storage_path=str(tmp_path / place))
    verdict = await check_model_store(settings)
    assert verdict.health == "failed"
    assert "MORROW_MODEL_STORAGE_PATH" in verdict.message


async def test_looking_at_a_store_to_come_does_not_make_it(tmp_path: Path) -> None:
    verdict = await check_model_store(settings_for("postgresql://", tmp_path))
    assert verdict.health == "ok"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["operator", "sealing"])
@pytest.mark.parametrize(
    ("content", "mode", "told"),
    [
        (GOOD_KEY, 0o600, "its owner's alone"),
        (GOOD_KEY, 0o640, "mode 0640, so others may read the key: chmod 600"),
        (GOOD_KEY, 0o604, "mode 0604, so others may read the key: chmod 600"),
        ("", 0o600, "is empty"),
        ("change-me-change-me", 0o600, "well-known words"),
        ("k7", 0o600, "it has 2 characters, and at least 16"),
    ],
)
def test_a_key_that_others_may_read_or_guess_is_found(
    tmp_path: Path, name: str, content: str, mode: int, told: str
) -> None:
    path = tmp_path / f"{name}.key"
    path.write_text(content)
    path.chmod(mode)
    verdicts = {verdict.check: verdict for verdict in check_keys(tmp_path, {})}
    found = verdicts[f"{name} key"]
    assert told in found.message
    assert found.health == ("ok" if content == GOOD_KEY and mode == 0o600 else "failed")


def test_a_key_of_the_environment_that_could_be_guessed_is_found() -> None:
    guessed = {"MORROW_OPERATOR_KEY": "secret-operator-key", "MORROW_SEALING_KEY": GOOD_KEY}
    operator, sealing = check_keys(None, guessed)
    assert (operator.health, sealing.health) == ("failed", "ok")
    assert "secret-operator-key" not in operator.message


def test_the_command_tells_it_all_and_ends_with_one(database: Database, tmp_path: Path) -> None:
    """As a program of its own, because it starts a training child."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MORROW_")}
    given = {"MORROW_DATABASE_URL": database.api_dsn, "MORROW_DB_POOL_SIZE": "many"}
    done = subprocess.run(
        [sys.executable, "-m", "services.training.cli", "doctor", "--json"],
        capture_output=True,
        text=True,
        env=environ | given,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    found = {check["check"]: check["health"] for check in told["checks"]}
    assert not told["healthy"]
    assert found.pop("settings") == "failed"
    assert found.pop("model store") == "skipped"
    assert found.pop("operator key") == "warning"
    assert found.pop("sealing key") == "warning"
    assert set(found.values()) == {"ok"}, told
    assert {"children", "morrow_api"} < set(found)
    assert "morrow_worker" not in found  # this login is the API's own
