"""Every table of the database, tried by each role of the service that holds a tenant's transaction:
another tenant's row is not seen, changed, taken away, or put there.

What is granted is tried, whatever table it is of; the rows are made for the columns they have.
"""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from services.training.tables import Table
from shared.postgres import RunningPostgres
from tests.conftest import Database, fresh_database

Connection = asyncpg.Connection
MINE, OTHERS = uuid4(), uuid4()

COLUMNS = """
SELECT a.attname::text AS name, format_type(a.atttypid, NULL) AS type
FROM pg_attribute a
WHERE a.attrelid = $1::text::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attnotnull
"""
CHANGEABLE = """
SELECT attname FROM pg_attribute
WHERE attrelid = $1::text::regclass AND attnum > 0 AND attidentity = ''
  AND has_column_privilege(attrelid, attnum, 'UPDATE') LIMIT 1
"""
VALUES: dict[str, Any] = {
    "bytea": "\\x00",
    "date": "2026-01-01",
    "jsonb": {},
    "text": "x",
    "timestamp with time zone": "2026-01-01T00:00:00Z",
    "uuid": "00000000-0000-0000-0000-00000000000a",
}
MAY = "SELECT has_table_privilege($1, $2) OR ($2 <> 'DELETE' AND has_any_column_privilege($1, $2))"
FOREIGN = "row-level security|permission denied"


def value_of(kind: str) -> object:
    if kind.endswith("[]"):
        return []
    return VALUES.get(kind, False if kind == "boolean" else 1)


@pytest.fixture(scope="module")
async def stocked(postgres_server: RunningPostgres, template: str) -> AsyncIterator[Database]:
    """A row of each of two tenants in every table; no foreign key or trigger says no first."""
    with fresh_database(postgres_server, template) as made:
        admin = await asyncpg.connect(made.admin_dsn)
        for table in Table.metadata.tables:
            await admin.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
            for owner in (MINE, OTHERS):
                await insert(admin, table, await row_of(admin, table, owner))
        await admin.close()
        yield made


async def row_of(admin: Connection, table: str, owner: UUID) -> dict[str, object]:
    columns = await admin.fetch(COLUMNS, table)
    row = {column["name"]: value_of(column["type"]) for column in columns}
    return {**row, "tenant_id": str(owner)}


async def insert(connection: Connection, table: str, row: dict[str, object]) -> None:
    names = ", ".join(f'"{name}"' for name in row)
    await connection.execute(
        f"INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE "
        f"SELECT {names} FROM jsonb_populate_record(NULL::{table}, $1::text::jsonb)",
        json.dumps(row),
    )


@pytest.fixture(params=["morrow_api", "morrow_worker"])
async def service(request: pytest.FixtureRequest, stocked: Database) -> AsyncIterator[Connection]:
    """A transaction of MINE, which is rolled back."""
    connection = await asyncpg.connect(stocked.server.url(request.param, stocked.name))
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("SELECT set_config('app.tenant_id', $1, true)", str(MINE))
    yield connection
    await transaction.rollback()
    await connection.close()


async def granted(service: Connection, privilege: str) -> list[str]:
    tables = [t for t in Table.metadata.tables if await service.fetchval(MAY, t, privilege)]
    assert len(tables) > 3
    return tables


async def test_another_tenants_row_is_not_seen(service: Connection) -> None:
    for table in await granted(service, "SELECT"):
        seen = await service.fetch(f"SELECT tenant_id FROM {table}")
        assert [row["tenant_id"] for row in seen] == [MINE], table


async def test_another_tenants_row_is_not_changed(service: Connection) -> None:
    for table in await granted(service, "UPDATE"):
        column = await service.fetchval(CHANGEABLE, table)
        changed = await service.execute(f'UPDATE {table} SET "{column}" = "{column}"')
        assert changed == "UPDATE 1", table
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match=FOREIGN):
            async with service.transaction():
                await service.execute(f"UPDATE {table} SET tenant_id = $1", OTHERS)


async def test_another_tenants_row_is_not_taken_away(service: Connection) -> None:
    for table in await granted(service, "DELETE"):
        assert await service.execute(f"DELETE FROM {table}") == "DELETE 1", table


async def test_no_row_is_put_into_another_tenants(service: Connection) -> None:
    for table in await granted(service, "INSERT"):
        row = await row_of(service, table, OTHERS)
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match=FOREIGN):
            async with service.transaction():
                await insert(service, table, row)


@pytest.mark.parametrize(
    "attempt",
    [
        "SET ROLE morrow_owner",
        "SET ROLE morrow_definer",
        "SET ROLE morrow_migrator",
        "SET SESSION AUTHORIZATION postgres",
        "SET row_security = off; SELECT count(*) FROM series",
        "ALTER TABLE sales DISABLE ROW LEVEL SECURITY",
        "DROP POLICY tenant ON sales",
        "TRUNCATE sales",
        "CREATE TABLE public.mine (id int)",
        "CREATE FUNCTION public.app_tenant(int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE OR REPLACE FUNCTION app_tenant() RETURNS uuid LANGUAGE sql AS 'SELECT null::uuid'",
        "SET session_replication_role = replica",
        "COPY series TO PROGRAM 'cat'",
        "SELECT pg_read_file('PG_VERSION')",
        "LOAD 'auto_explain'",
    ],
)
async def test_no_statement_leads_past_the_wall(service: Connection, attempt: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await service.execute(attempt)
