"""An unsafe configuration is refused at the start, by name and with the way out."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from services.training.commands.checks.database import check_database
from services.training.commands.checks.target import Target
from services.training.startup import UnsafeConfiguration, require_safe_start
from shared.database import DatabaseUnavailable, connect_directly
from shared.pooler import sessions_change
from shared.postgres import RunningPostgres
from shared.roles import API, WORKER
from tests.conftest import OPERATOR_KEY, Database, execute, fresh_database, settings_for
from tests.pgbouncer import Pooler, Program, running_pooler

PLANTED = [
    (
        "ALTER ROLE morrow_worker SUPERUSER",
        "ALTER ROLE morrow_worker NOSUPERUSER",
        "is a superuser",
    ),
    ("ALTER ROLE morrow_worker BYPASSRLS", "ALTER ROLE morrow_worker NOBYPASSRLS", "has BYPASSRLS"),
    (
        "GRANT morrow_owner TO morrow_worker",
        "REVOKE morrow_owner FROM morrow_worker",
        "morrow_worker may become morrow_owner, past the wall: REVOKE",
    ),
    (
        "GRANT pg_read_server_files TO morrow_worker",
        "REVOKE pg_read_server_files FROM morrow_worker",
        "morrow_worker may become pg_read_server_files",
    ),
    ("ALTER TABLE sales OWNER TO morrow_worker", "SELECT 1", "morrow_worker owns sales"),
    ("ALTER TABLE sales DISABLE ROW LEVEL SECURITY", "SELECT 1", "enabled and forced on sales"),
]


async def test_a_sound_configuration_starts(database: Database, tmp_path: Path) -> None:
    await require_safe_start(settings_for(database.api_dsn, tmp_path), API)
    await require_safe_start(settings_for(database.admin_dsn, tmp_path), WORKER)  # it steps down


@pytest.mark.parametrize(("planted", "mended", "told"), PLANTED)
async def test_a_role_that_sees_other_tenants_is_refused(
    database: Database, tmp_path: Path, planted: str, mended: str, told: str
) -> None:
    await execute(database.admin_dsn, planted)
    try:
        for dsn in (database.worker_dsn, database.admin_dsn):
            with pytest.raises(UnsafeConfiguration) as refused:
                await require_safe_start(settings_for(dsn, tmp_path), WORKER)
            assert told in str(refused.value)
            assert refused.value.problems[0].startswith("MORROW_DATABASE_URL: ")
    finally:
        await execute(database.admin_dsn, mended)


async def test_the_address_past_the_pooler_is_looked_at_as_well(
    database: Database, another: Database, tmp_path: Path
) -> None:
    settings = settings_for(
        database.api_dsn, tmp_path, direct_database_url=SecretStr(another.api_dsn)
    )
    with pytest.raises(UnsafeConfiguration, match="MORROW_DIRECT_DATABASE_URL: morrow_api owns"):
        await require_safe_start(settings, API)


@pytest.fixture
async def another(postgres_server: RunningPostgres, template: str) -> AsyncIterator[Database]:
    with fresh_database(postgres_server, template) as made:
        await execute(made.admin_dsn, "ALTER TABLE sales OWNER TO morrow_api")
        yield made


async def test_a_database_that_is_away_is_no_unsafe_one(tmp_path: Path) -> None:
    nowhere = settings_for("postgresql://morrow_api:canary@127.0.0.1:1/morrow", tmp_path)
    with pytest.raises(DatabaseUnavailable, match="cannot connect"):
        await require_safe_start(nowhere, API)


async def open_all_sessions(dsn: str, sessions: int) -> None:
    """Have the pooler hold as many as it may, which it then chooses from."""
    asking = [
        await connect_directly(dsn, WORKER, "tests", named_statements=False)
        for _ in range(sessions)
    ]
    await asyncio.gather(*(one.execute("SELECT pg_sleep(0.05)") for one in asking))
    for one in asking:
        await one.close()


@pytest.mark.parametrize(
    ("sessions", "mode", "in_turns", "found"),
    [
        (5, "transaction", False, True),
        (5, "transaction", True, True),
        (2, "transaction", True, True),
        (1, "transaction", False, True),
        (5, "statement", False, True),
        (5, "session", False, False),
    ],
)
def test_a_pooler_that_changes_sessions_is_found(
    database: Database, pgbouncer: Program, sessions: int, mode: str, in_turns: bool, found: bool
) -> None:
    with running_pooler(
        pgbouncer, database.server, sessions=sessions, mode=mode, in_turns=in_turns
    ) as pooler:
        dsn = pooler.url(WORKER, database.name)
        with asyncio.Runner() as runner:
            runner.run(open_all_sessions(dsn, sessions))
            assert [runner.run(sessions_change(dsn, WORKER)) for _ in range(3)] == [found] * 3


async def test_a_server_itself_changes_no_sessions(database: Database) -> None:
    assert not await sessions_change(database.worker_dsn, WORKER)


async def test_locks_through_a_pooler_are_refused(
    database: Database, pooler: Pooler, tmp_path: Path
) -> None:
    pooled = pooler.url(WORKER, database.name)
    with pytest.raises(UnsafeConfiguration, match="set MORROW_DB_POOLER=transaction, and MORROW_D"):
        await require_safe_start(settings_for(pooled, tmp_path), WORKER)
    told = settings_for(pooled, tmp_path, db_pooler="transaction")
    with pytest.raises(UnsafeConfiguration, match="MORROW_DIRECT_DATABASE_URL to the address"):
        await require_safe_start(told, WORKER)
    untold = settings_for(pooled, tmp_path, direct_database_url=SecretStr(database.worker_dsn))
    with pytest.raises(UnsafeConfiguration, match="set MORROW_DB_POOLER=transaction"):
        await require_safe_start(untold, WORKER)
    both = settings_for(
        pooled, tmp_path, db_pooler="transaction", direct_database_url=SecretStr(pooled)
    )
    with pytest.raises(UnsafeConfiguration, match=r"^MORROW_DIRECT_DATABASE_URL leads through"):
        await require_safe_start(both, WORKER)


async def test_the_doctor_finds_the_pooler_too(database: Database, pooler: Pooler) -> None:
    through = Target("the test's", lambda role: pooler.url(role, database.name))
    told = {verdict.check: verdict for verdict in await check_database(through)}
    assert told["sessions"].health == "failed"
    assert "MORROW_DIRECT_DATABASE_URL" in told["sessions"].message
    mended = Target(
        "the test's",
        lambda role: pooler.url(role, database.name),
        (WORKER,),
        direct=database.worker_dsn,
        pooler="transaction",
    )
    verdicts = await check_database(mended)
    assert {verdict.health.value for verdict in verdicts} == {"ok"}, verdicts


def run(*arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    """The command with just these settings of Morrow's, to its end."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MORROW_")}
    return subprocess.run(
        [sys.executable, "-m", "services.training.cli", *arguments],
        capture_output=True,
        text=True,
        env=environ | {f"MORROW_{name}": value for name, value in settings.items()},
        timeout=60,
        check=False,
    )


async def test_the_worker_ends_at_once_and_says_why(database: Database, pooler: Pooler) -> None:
    refused = run("worker", DATABASE_URL=pooler.url(WORKER, database.name))
    assert refused.returncode == 1, refused.stderr
    assert "\nMORROW_DATABASE_URL leads through a pooler in transaction mode" in refused.stderr
    assert "Traceback" not in refused.stderr


async def test_the_api_ends_at_once_and_says_why(database: Database) -> None:
    await execute(database.admin_dsn, "ALTER TABLE sales NO FORCE ROW LEVEL SECURITY")
    refused = run("serve", "--port", "0", DATABASE_URL=database.api_dsn, OPERATOR_KEY=OPERATOR_KEY)
    assert refused.returncode == 1, refused.stderr
    assert "row-level security is not enabled and forced on sales: ALTER TABLE" in refused.stderr


@contextmanager
def data_dir_with(folder: Path, name: str, content: str, mode: int) -> Iterator[Path]:
    path = folder / "data" / name
    path.parent.mkdir(mode=0o755)
    path.write_text(content)
    path.chmod(mode)
    yield path.parent


@pytest.mark.parametrize(
    ("name", "content", "mode", "told"),
    [
        ("operator.key", "kiosk-7-lynx-quagmire-9", 0o644, "mode 0644, so others may read"),
        ("sealing.key", "kiosk-7-lynx-quagmire-9", 0o640, "mode 0640, so others may read"),
        ("operator.key", "password1234567890", 0o600, "made of well-known words"),
    ],
)
async def test_a_key_file_that_others_may_read_or_guess_ends_morrow_up(
    database: Database, tmp_path: Path, name: str, content: str, mode: int, told: str
) -> None:
    with data_dir_with(tmp_path, name, content, mode) as data_dir:
        refused = run(
            *("up", "--port", "0", "--data-dir", str(data_dir)),
            DATABASE_URL=database.api_dsn,
            MIGRATION_DATABASE_URL=database.migrator_dsn,
        )
    assert refused.returncode == 1, refused.stderr
    assert str(data_dir / name) in refused.stderr
    assert told in refused.stderr
    assert content not in refused.stderr + refused.stdout
