"""Every table of the database, tried by each role of the service that holds a tenant's transaction:
another tenant's row is not seen, changed, taken away, or put there.

What is granted is tried, whatever table it is of; the rows are made for the columns they have.
"""

from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest

from services.training.tables import Table
from shared.postgres import RunningPostgres
from tests.conftest import Database, fresh_database
from tests.migrations.rows import fill, insert, row_of

Connection = asyncpg.Connection
MINE, OTHERS = uuid4(), uuid4()

CHANGEABLE = """
SELECT attname FROM pg_attribute
WHERE attrelid = $1::text::regclass AND attnum > 0 AND attidentity = ''
  AND has_column_privilege(attrelid, attnum, 'UPDATE') LIMIT 1
"""
MAY = "SELECT has_table_privilege($1, $2) OR ($2 <> 'DELETE' AND has_any_column_privilege($1, $2))"
FOREIGN = "row-level security|permission denied"


@pytest.fixture(scope="module")
async def stocked(postgres_server: RunningPostgres, template: str) -> AsyncIterator[Database]:
    """A row of each of two tenants in every table; no foreign key or trigger says no first."""
    with fresh_database(postgres_server, template) as made:
        admin = await asyncpg.connect(made.admin_dsn)
        for table in Table.metadata.tables:
            await admin.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        await fill(admin, MINE, OTHERS)
        await admin.close()
        yield made


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
