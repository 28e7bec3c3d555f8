"""The record: written with what it tells of, in one unbroken chain a tenant, and never changed."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from services.training import tables
from services.training.audit.action import Action
from services.training.audit.actor import OPERATOR, SERVICE, api_key
from services.training.audit.record import record
from services.training.audit.told import changes, told
from services.training.tables.audit import MOST_BYTES
from services.training.tables.breakers import EVERYBODY
from shared.database import Sessions, tenant_session, tenant_transaction
from tests.conftest import Database

TENANT = UUID(int=7)
KEY = UUID(int=8)
WHO = api_key(KEY, "mrw_0123456789ab")


@pytest.fixture
async def admin(database: Database) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(database.admin_dsn)
    yield connection
    await connection.close()


async def act(sessions: Sessions, subject: str, tenant_id: UUID = TENANT) -> None:
    async with tenant_transaction(sessions, tenant_id) as session:
        record(session, WHO, Action.PRODUCT_PUT, subject, before={"price": 1}, after={"price": 2})


def canonical(*values: object) -> bytes:
    """As the database spells JSON."""
    return json.dumps(values, ensure_ascii=False).encode()


def chained(rows: list[Any]) -> bytes:
    """The hash at the end of the chain, by an own reading of how it is made."""
    last = bytes(32)
    for seq, row in enumerate(rows, 1):
        told = (
            json.loads(row["before"]) if row["before"] else None,
            json.loads(row["after"]) if row["after"] else None,
        )
        details = canonical(row["actor"], row["key_prefix"], row["subject"], *told)
        digest = hashlib.sha256(row["salt"] + details).hexdigest()
        micros = round(row["at"].timestamp() * 1_000_000)
        concerns = None if row["concerns"] is None else str(row["concerns"])
        line = (str(row["tenant_id"]), seq, micros, row["action"], row["request_id"], concerns)
        last = hashlib.sha256(last + canonical(*line, digest)).digest()
        assert (row["seq"], row["hash"]) == (seq, last)
    return last


async def test_entries_form_a_chain_whose_end_is_kept_apart(
    sessions: Sessions, admin: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    for subject in ("Brötchen", 'a "quoted" \\ \t line\n', "\x7f\u2028 😀"):
        await act(sessions, subject)
    rows = await admin.fetch("SELECT * FROM audit_log ORDER BY seq")
    assert len(rows) == 3
    head = await admin.fetchrow("SELECT * FROM audit_heads")
    assert (head["tenant_id"], head["seq"], head["hash"]) == (TENANT, 3, chained(rows))
    assert len({row["salt"] for row in rows}) == 3
    assert rows[0]["actor"] == f"api_key:{KEY}"
    assert rows[0]["key_prefix"] == "mrw_0123456789ab"


async def test_the_chains_of_tenants_are_apart(
    sessions: Sessions, admin: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    other = uuid4()
    for tenant_id in (TENANT, other, TENANT):
        await act(sessions, "roll", tenant_id)
    for tenant_id, length in ((TENANT, 2), (other, 1)):
        rows = await admin.fetch(
            "SELECT * FROM audit_log WHERE tenant_id = $1 ORDER BY seq", tenant_id
        )
        assert len(rows) == length
        chained(rows)


async def test_those_who_write_at_once_leave_no_gap_and_do_not_wait_for_ever(
    sessions: Sessions, admin: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    await asyncio.gather(*(act(sessions, f"product {n}") for n in range(30)))
    rows = await admin.fetch("SELECT * FROM audit_log ORDER BY seq")
    assert len(rows) == 30
    chained(rows)
    assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)


async def test_acts_that_lock_each_other_s_rows_do_not_wait_in_a_ring(
    sessions: Sessions, admin: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    """Both record first and lock the same row then. Were the chain locked by `record`, the one that
    came second would wait for the chain with nothing to give, and a third order would be a ring."""
    await admin.execute(
        "INSERT INTO tenants (tenant_id, name, slug, country, timezone, plan) "
        "VALUES ($1, 'a', 'a', 'DE', 'Europe/Berlin', 'standard')",
        TENANT,
    )
    recorded = asyncio.Barrier(2)

    async def rename(name: str) -> None:
        async with tenant_transaction(sessions, TENANT) as session:
            record(session, WHO, Action.TENANT_CHANGED, name)
            await session.flush()
            await recorded.wait()
            tenant = await session.get_one(tables.Tenant, TENANT, with_for_update=True)
            tenant.name = name

    async with asyncio.timeout(20):
        await asyncio.gather(rename("one"), rename("two"))
    chained(await admin.fetch("SELECT * FROM audit_log ORDER BY seq"))


async def test_what_is_rolled_back_was_not_done(
    sessions: Sessions, admin: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    async def fail() -> None:
        async with tenant_transaction(sessions, TENANT) as session:
            record(session, WHO, Action.PRODUCT_PUT, "roll")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with tenant_session(sessions, TENANT) as session:
        await session.execute(select(tables.Tenant))
        record(session, WHO, Action.PRODUCT_PUT, "croissant")
        await session.rollback()
        record(session, WHO, Action.PRODUCT_PUT, "bun")
        savepoint = await session.begin_nested()
        await savepoint.rollback()
        await session.commit()
    rows = await admin.fetch("SELECT * FROM audit_log")
    assert [(row["seq"], row["subject"]) for row in rows] == [(1, "bun")]


async def test_in_a_savepoint_nothing_is_recorded(sessions: Sessions) -> None:
    async with tenant_transaction(sessions, TENANT) as session, session.begin_nested():
        with pytest.raises(RuntimeError, match="savepoint"):
            record(session, WHO, Action.PRODUCT_PUT, "roll")


async def test_an_act_that_changed_nothing_leaves_no_entry(
    sessions: Sessions, admin: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    async with tenant_transaction(sessions, TENANT) as session:
        same = {"price": 1.5, "unit": None}
        record(session, SERVICE, Action.PRODUCT_PUT, "roll", before=same, after=dict(same))
    assert await admin.fetch("SELECT * FROM audit_log") == []


async def test_an_act_of_the_operator_is_seen_by_the_tenant_it_concerns_and_no_other(
    sessions: Sessions, admin: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    async with tenant_transaction(sessions, TENANT) as session:
        record(session, OPERATOR, Action.LIMITS_CHANGED, f"tenant:{TENANT}", after={"series": 5})
    (row,) = await admin.fetch("SELECT * FROM audit_log")
    assert (row["tenant_id"], row["concerns"]) == (EVERYBODY, TENANT)
    seen = {}
    for tenant_id in (TENANT, EVERYBODY, uuid4()):
        async with tenant_transaction(sessions, tenant_id) as session:
            seen[tenant_id] = (await session.execute(tables.AuditEntry.__table__.select())).all()
    assert [len(rows) for rows in seen.values()] == [1, 1, 0]


FORBIDDEN = {
    "change": "UPDATE audit_log SET subject = 'x'",
    "delete": "DELETE FROM audit_log",
    "empty": "TRUNCATE audit_log",
    "lock": "LOCK TABLE audit_log IN EXCLUSIVE MODE",
    "name the moment": "INSERT INTO audit_log (tenant_id, action, at) VALUES ($1, 'a', now())",
    "name the hash": "INSERT INTO audit_log (tenant_id, action, hash) VALUES ($1, 'a', '')",
    "name the digest": "INSERT INTO audit_log (tenant_id, details_hash) VALUES ($1, '')",
    "name the salt": "INSERT INTO audit_log (tenant_id, action, salt) VALUES ($1, 'a', '')",
    "name the place": "INSERT INTO audit_log (tenant_id, action, seq) VALUES ($1, 'a', 1)",
    "replace": "INSERT INTO audit_log (tenant_id, action) VALUES ($1, 'a') "
    "ON CONFLICT (tenant_id, seq) DO UPDATE SET action = 'b'",
    "lock an entry": "SELECT * FROM audit_log FOR UPDATE",
    "read the heads": "SELECT * FROM audit_heads",
    "move the head": "UPDATE audit_heads SET seq = 0",
    "remove the head": "DELETE FROM audit_heads",
    "put a head": "INSERT INTO audit_heads (tenant_id, seq, hash) VALUES ($1, 1, '')",
    "switch off the chain": "ALTER TABLE audit_log DISABLE TRIGGER audit_chain",
    "go without it": "SET session_replication_role = replica",
    "replace the chain": "CREATE OR REPLACE FUNCTION audit_chain() RETURNS trigger "
    "LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
}


async def in_transaction(
    connection: "asyncpg.Connection[asyncpg.Record]", statement: str, *given: object
) -> None:
    async with connection.transaction():
        await connection.execute(statement, *given)


@pytest.mark.parametrize("role", ["api", "worker"])
async def test_no_role_of_the_service_changes_the_record(
    database: Database, sessions: Sessions, role: str
) -> None:
    await act(sessions, "roll")
    connection = await asyncpg.connect(database.api_dsn if role == "api" else database.worker_dsn)
    await connection.execute("SELECT set_config('app.tenant_id', $1, false)", str(TENANT))
    try:
        for statement in FORBIDDEN.values():
            given = (TENANT,) if "$1" in statement else ()
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await in_transaction(connection, statement, *given)
        for chain, concerns in ((uuid4(), None), (EVERYBODY, None), (EVERYBODY, uuid4())):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
                await connection.execute(
                    "INSERT INTO audit_log (tenant_id, concerns, action) VALUES ($1, $2, 'a')",
                    *(chain, concerns),
                )
    finally:
        await connection.close()


async def test_a_conflict_that_is_let_pass_leaves_no_gap(
    database: Database, admin: "asyncpg.Connection[asyncpg.Record]", sessions: Sessions
) -> None:
    connection = await asyncpg.connect(database.api_dsn)
    await connection.execute("SELECT set_config('app.tenant_id', $1, false)", str(TENANT))
    for _ in range(2):
        await connection.execute(
            "INSERT INTO audit_log (tenant_id, action) VALUES ($1, 'a') ON CONFLICT DO NOTHING",
            TENANT,
        )
    await connection.close()
    await act(sessions, "roll")
    rows = await admin.fetch("SELECT * FROM audit_log ORDER BY seq")
    assert len(rows) == 3
    chained(rows)


LARGE = st.sampled_from(["é" * 600, "\0\ud800" * 300, [1e308] * 80, ["x" * 499] * 49, 10**400])
JSON = st.recursive(
    LARGE | st.none() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=9,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.text(max_size=9), JSON, max_size=9))
def test_what_is_told_is_bounded_whatever_it_is(values: dict[str, Any]) -> None:
    written = json.dumps(told(values), ensure_ascii=False, allow_nan=False)
    assert len(written.encode()) <= MOST_BYTES
    assert "\\u0000" not in written.replace("\\\\", "")  # the words backslash, u, 0 … may be told


async def test_what_is_told_fits_the_database_at_its_largest(
    sessions: Sessions, admin: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    for value in (
        ["é" * 500] * 50,
        list(range(10**14, 10**14 + 50)),
        1e308,
        1e-300,
        {"a": "\x01" * 700},
    ):
        async with tenant_transaction(sessions, TENANT) as session:
            record(session, WHO, Action.EVENT_PUT, "\0\ud800" * 400, after={"dates": value})
    rows = await admin.fetch("SELECT * FROM audit_log ORDER BY seq")
    assert len(rows) == 5
    assert all(len(row["after"].encode()) <= MOST_BYTES for row in rows)


@pytest.mark.parametrize(
    "name", ["credentials", "Secret", "api_key", "token", "password", "digest"]
)
def test_a_field_that_is_named_like_a_secret_is_not_told(name: str) -> None:
    written = json.dumps(told({"options": [{name: "canary"}], name: {"deep": "canary"}}))
    assert "canary" not in written
    assert name in written


def test_of_two_states_only_what_differs_is_told() -> None:
    before, after = (
        {"price": 1.0, "unit": "kg", "gone": 1},
        {"price": 2.0, "unit": "kg", "new": None},
    )
    assert changes(before, after) == ({"price": 1.0, "gone": 1}, {"price": 2.0, "new": None})
