"""Whatever a superuser does to the record, `morrow doctor` names the first place where it was."""

import json
import os
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from services.training.audit.action import Action
from services.training.audit.actor import OPERATOR, api_key
from services.training.audit.record import record
from services.training.commands.checks.record import HeadsRefused, check_record, read_heads
from services.training.commands.checks.verdict import Verdict
from shared.database import Sessions, tenant_transaction
from tests.conftest import Database

TENANT, NEIGHBOUR = UUID(int=7), UUID(int=9)
WHO = api_key(UUID(int=8), "mrw_0123456789ab")


@pytest.fixture
async def written(sessions: Sessions) -> None:
    """Six entries of a tenant, one of its neighbour, one of the operator's."""
    for tenant_id, count in ((TENANT, 6), (NEIGHBOUR, 1)):
        for number in range(count):
            async with tenant_transaction(sessions, tenant_id) as session:
                told = {"price": number + 0.5, "name": 'Brötchen\t\\ "1"'}
                record(session, WHO, Action.PRODUCT_PUT, f"product:{number}", after=told)
    async with tenant_transaction(sessions, TENANT) as session:
        record(session, OPERATOR, Action.LIMITS_CHANGED, "tenant", after={"series": None})


async def examined(database: Database, known: Path | None = None) -> Verdict:
    connection = await asyncpg.connect(database.api_dsn)
    try:
        return await check_record(connection, None if known is None else read_heads(known))
    finally:
        await connection.close()


async def as_superuser(database: Database, *statements: str) -> None:
    connection = await asyncpg.connect(database.admin_dsn)
    for statement in statements:
        await connection.execute(statement.format(tenant=f"'{TENANT}'"))
    await connection.close()


@pytest.mark.usefixtures("written")
async def test_what_was_written_is_found_whole_and_its_heads_are_told(database: Database) -> None:
    verdict = await examined(database)
    assert verdict.health == "ok", verdict.message
    assert verdict.message.startswith("8 entries in 3 chains are as they were written")
    heads = verdict.as_json()["heads"]
    assert isinstance(heads, dict)
    assert heads[str(TENANT)]["seq"] == 6
    assert len(heads[str(TENANT)]["hash"]) == 64


OF = "tenant_id = {tenant} AND seq"
TAMPERED = {
    "subject": (f"UPDATE audit_log SET subject = 'x' WHERE {OF} = 3", "entry 3"),
    "actor": (f"UPDATE audit_log SET actor = 'api_key:other' WHERE {OF} = 3", "entry 3"),
    "after": (f"UPDATE audit_log SET after = '{{{{}}}}' WHERE {OF} = 3", "entry 3"),
    "moment": (f"UPDATE audit_log SET at = at - interval '1 us' WHERE {OF} = 3", "entry 3"),
    "action": (f"UPDATE audit_log SET action = 'job.created' WHERE {OF} = 3", "entry 3"),
    "request": (f"UPDATE audit_log SET request_id = 'r' WHERE {OF} = 3", "entry 3"),
    "hash": (f"UPDATE audit_log SET hash = sha256(hash) WHERE {OF} = 3", "entry 3"),
    "salt": (f"UPDATE audit_log SET salt = 'salt' WHERE {OF} = 3", "entry 3"),
    "details emptied as of one erased": (
        "UPDATE audit_log SET actor = NULL, key_prefix = NULL, subject = NULL, after = NULL, "
        f"salt = NULL WHERE {OF} = 3",
        "entry 3",
    ),
    "first": (f"DELETE FROM audit_log WHERE {OF} = 1", "entry 1"),
    "in the middle": (f"DELETE FROM audit_log WHERE {OF} = 4", "entry 4"),
    "in the middle, closing the gap": (
        f"DELETE FROM audit_log WHERE {OF} = 4; "
        f"UPDATE audit_log SET seq = seq - 1 WHERE {OF} = 5; "
        f"UPDATE audit_log SET seq = seq - 1 WHERE {OF} = 6",
        "entry 4",
    ),
    "tail": (f"DELETE FROM audit_log WHERE {OF} = 6", "entry 6"),
    "all": ("DELETE FROM audit_log WHERE tenant_id = {tenant}", "entry 1"),
    "tail and head": (
        f"DELETE FROM audit_log WHERE {OF} = 6; "
        "DELETE FROM audit_heads WHERE tenant_id = {tenant}",
        "entry 6",
    ),
    "swapped": (
        f"UPDATE audit_log SET seq = 99 WHERE {OF} = 2; "
        f"UPDATE audit_log SET seq = 2 WHERE {OF} = 5; "
        f"UPDATE audit_log SET seq = 5 WHERE {OF} = 99",
        "entry 2",
    ),
    "details of two swapped": (
        "UPDATE audit_log a SET subject = b.subject, after = b.after FROM audit_log b "
        "WHERE a.tenant_id = {tenant} AND b.tenant_id = {tenant} "
        "AND (a.seq, b.seq) IN ((2, 5), (5, 2))",
        "entry 2",
    ),
    "put in": (
        f"ALTER TABLE audit_log DISABLE TRIGGER ALL; "
        f"INSERT INTO audit_log SELECT tenant_id, 7, at, "
        f"action, request_id, concerns, actor, key_prefix, subject, before, after, salt, "
        f"details_hash, hash FROM audit_log WHERE {OF} = 6",
        "entry 7",
    ),
    "moved to another's chain": (
        "ALTER TABLE audit_log DISABLE TRIGGER ALL; UPDATE audit_log SET tenant_id = "
        f"'{NEIGHBOUR}', seq = 2 WHERE {OF} = 6",
        "entry 6",
    ),
}


@pytest.mark.usefixtures("written")
async def test_the_first_broken_entry_is_named_whatever_broke_it(database: Database) -> None:
    sound = await examined(database)
    for what, (statements, place) in TAMPERED.items():
        connection = await asyncpg.connect(database.admin_dsn)
        await connection.execute("CREATE TABLE kept AS SELECT * FROM audit_log")
        await connection.execute("CREATE TABLE kept_heads AS SELECT * FROM audit_heads")
        await connection.execute(statements.format(tenant=f"'{TENANT}'"))
        verdict = await examined(database)
        assert verdict.health == "failed", what
        assert verdict.message.startswith(f"{place} of the chain of {TENANT}: "), (what, verdict)
        await connection.execute(
            "ALTER TABLE audit_log DISABLE TRIGGER ALL; TRUNCATE audit_log, audit_heads; "
            "INSERT INTO audit_log SELECT * FROM kept; "
            "INSERT INTO audit_heads SELECT * FROM kept_heads; "
            "ALTER TABLE audit_log ENABLE TRIGGER ALL; DROP TABLE kept, kept_heads"
        )
        await connection.close()
    assert await examined(database) == sound


@pytest.mark.usefixtures("written")
async def test_a_chain_made_anew_is_found_by_heads_that_were_kept_elsewhere(
    database: Database, sessions: Sessions, tmp_path: Path
) -> None:
    """By itself it is whole: whoever may do anything to the database may also do this."""
    kept = tmp_path / "heads.json"
    kept.write_text(json.dumps({"checks": [(await examined(database)).as_json()]}))
    await as_superuser(
        database,
        "CREATE TABLE forged AS SELECT tenant_id, action, actor, subject FROM audit_log "
        "WHERE tenant_id = {tenant} AND seq <> 4 ORDER BY seq",
        "DELETE FROM audit_log WHERE tenant_id = {tenant}",
        "DELETE FROM audit_heads WHERE tenant_id = {tenant}",
        "INSERT INTO audit_log (tenant_id, action, actor, subject) SELECT * FROM forged",
    )
    assert (await examined(database)).health == "ok"
    verdict = await examined(database, kept)
    assert verdict.health == "failed"
    assert verdict.message.startswith(f"entry 6 of the chain of {TENANT}: it is missing of 6")
    async with tenant_transaction(sessions, TENANT) as session:
        record(session, WHO, Action.PRODUCT_PUT, "one more")
    verdict = await examined(database, kept)
    assert f"entry 6 of the chain of {TENANT}: its hash was another once" in verdict.message
    await as_superuser(
        database,
        "DELETE FROM audit_log WHERE tenant_id = {tenant}",
        "DELETE FROM audit_heads WHERE tenant_id = {tenant}",
    )
    assert (await examined(database)).health == "ok"
    assert (await examined(database, kept)).health == "failed"


@pytest.mark.parametrize(
    "content", ["", "{}", '{"checks": []}', '{"checks": [{"heads": {"x": 1}}]}']
)
def test_a_file_without_heads_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "heads.json").write_text(content)
    with pytest.raises(HeadsRefused):
        read_heads(tmp_path / "heads.json")


@pytest.mark.usefixtures("written")
async def test_progress_is_told(database: Database) -> None:
    said: list[str] = []
    connection = await asyncpg.connect(database.api_dsn)
    await check_record(connection, say=said.append, say_every=3)
    await connection.close()
    assert said == [f"audit log: {count} entries are as they were written" for count in (3, 6)]


@pytest.mark.usefixtures("written")
async def test_the_command_fails_with_one_and_names_the_entry(database: Database) -> None:
    await as_superuser(database, f"UPDATE audit_log SET action = 'x' WHERE {OF} = 2")
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MORROW_")}
    done = subprocess.run(
        [sys.executable, "-m", "services.training.cli", "doctor", "--json"],
        capture_output=True,
        text=True,
        env=environ | {"MORROW_DATABASE_URL": database.api_dsn},
        check=False,
    )
    assert done.returncode == 1, done.stderr
    found = {item["check"]: item for item in json.loads(done.stdout)["checks"]}["audit log"]
    assert found["health"] == "failed"
    assert f"entry 2 of the chain of {TENANT}" in found["message"]
    assert "heads" not in found


async def test_nothing_recorded_is_well(database: Database) -> None:
    verdict = await examined(database)
    assert (verdict.health, verdict.heads) == ("ok", {})
