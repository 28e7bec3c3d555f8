"""The wall between tenants, as the database's own catalogue tells it; and every breach is found.

Each mutant is made in a copy of the real database, inside a transaction that is rolled back.
"""

from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from services.training.tables import Table
from shared.postgres import RunningPostgres
from tests.conftest import Database, fresh_database
from tests.migrations.catalogue import WITHOUT_TENANT, breaches
from tests.migrations.granted import EXPECTED, expected, granted

Connection = asyncpg.Connection


@pytest.fixture(scope="module")
def copied(postgres_server: RunningPostgres, template: str) -> Iterator[Database]:
    with fresh_database(postgres_server, template) as made:
        yield made


@pytest.fixture
async def admin(copied: Database) -> AsyncIterator[Connection]:
    """In a transaction that is rolled back."""
    connection = await asyncpg.connect(copied.admin_dsn)
    transaction = connection.transaction()
    await transaction.start()
    yield connection
    await transaction.rollback()
    await connection.close()


async def test_the_wall_has_no_breach(admin: Connection) -> None:
    assert await breaches(admin) == []


async def test_privileges_are_just_those_written_down(admin: Connection) -> None:
    assert await granted(admin) == expected(), f"if it is meant, write it into {EXPECTED.name}"


async def test_every_table_of_the_code_belongs_to_tenants(admin: Connection) -> None:
    rows = await admin.fetch(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relname <> ALL ($1::text[]) "
        "AND relnamespace = 'public'::regnamespace",
        WITHOUT_TENANT,
    )
    assert {row["relname"] for row in rows} == set(Table.metadata.tables)


NEW = "CREATE TABLE extra (tenant_id uuid NOT NULL, id bigint, PRIMARY KEY (tenant_id, id));"
WALLED = "ALTER TABLE extra ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
OWN = "tenant_id = app_tenant()"
INSECURE_VIEW = "CREATE VIEW seen AS SELECT * FROM sales;"
DEFINED = (
    "CREATE FUNCTION peek() RETURNS bigint LANGUAGE sql SECURITY DEFINER "
    "SET search_path = pg_catalog, public, pg_temp AS 'SELECT count(*) FROM sales';"
    "ALTER FUNCTION peek() OWNER TO morrow_definer; REVOKE ALL ON FUNCTION peek() FROM PUBLIC;"
)
SIGNATURE = "keys_by_prefix(text)"


@pytest.mark.parametrize(
    ("planted", "told"),
    [
        ("ALTER TABLE sales DISABLE ROW LEVEL SECURITY", "sales: row-level security is not"),
        ("ALTER TABLE sales NO FORCE ROW LEVEL SECURITY", "sales: row-level security is not"),
        (NEW, "extra: row-level security is not enabled"),
        (NEW + WALLED, "extra: no policy that checks r of morrow_api"),
        (f"CREATE SCHEMA other; SET LOCAL search_path = other, public; {NEW}", "extra: row-level"),
        ("DROP POLICY tenant ON sales", "sales: no policy that checks w of morrow_worker"),
        (
            f"{NEW}{WALLED} CREATE POLICY tenant ON extra FOR SELECT USING ({OWN})",
            "extra: no policy that checks a of morrow_api",
        ),
        (
            f"{NEW}{WALLED} CREATE POLICY tenant ON extra USING ({OWN}) WITH CHECK (true)",
            "extra: policy tenant lets morrow_api in by true",
        ),
        (
            f"{NEW}{WALLED} CREATE POLICY tenant ON extra USING ({OWN})",
            "extra: no policy that checks a of morrow_api",
        ),
        (
            "ALTER POLICY tenant ON sales TO morrow_api",
            "sales: no policy that checks r of morrow_worker",
        ),
        (
            "ALTER POLICY tenant ON sales USING (true)",
            "sales: policy tenant lets morrow_api in by true",
        ),
        (
            f"ALTER POLICY tenant ON sales USING ({OWN} OR tenant_id IS NULL)",
            "sales: policy tenant lets morrow_worker in by",
        ),
        (
            "CREATE POLICY also ON sales FOR SELECT TO PUBLIC USING (quantity > 0)",
            "sales: policy also lets morrow_api in by (quantity",
        ),
        ("ALTER POLICY definer ON tasks TO morrow_api", "tasks: policy definer lets morrow_api in"),
        ("CREATE POLICY also ON sales TO pg_monitor USING (true)", "policy also is for pg_monitor"),
        ("ALTER FUNCTION app_tenant() VOLATILE", "app_tenant(), which a policy asks"),
        ("ALTER FUNCTION app_tenant() PARALLEL UNSAFE", "app_tenant(), which a policy asks"),
        (
            "CREATE OR REPLACE FUNCTION app_tenant() RETURNS uuid "
            "LANGUAGE sql STABLE PARALLEL SAFE AS "
            "$$ SELECT nullif(current_setting('app.tenant_id', true), '')::uuid $$",
            "app_tenant(), which a policy asks",
        ),
        ("ALTER ROLE morrow_api SUPERUSER", "morrow_api: is a superuser"),
        ("ALTER ROLE morrow_worker BYPASSRLS", "morrow_worker: has BYPASSRLS"),
        ("ALTER ROLE morrow_api CREATEROLE", "morrow_api: may make roles"),
        ("ALTER ROLE morrow_api REPLICATION", "morrow_api: may replicate"),
        ("ALTER ROLE morrow_definer LOGIN", "morrow_definer: logs in"),
        ("GRANT morrow_owner TO morrow_worker", "morrow_worker may become morrow_owner"),
        ("GRANT pg_read_server_files TO morrow_api", "morrow_api may become pg_read_server_files"),
        (
            "CREATE ROLE boss SUPERUSER; GRANT boss TO morrow_definer",
            "morrow_definer may become boss",
        ),
        ("ALTER ROLE morrow_api SET search_path = evil", "search_path=evil is set for morrow_api"),
        ("ALTER ROLE ALL SET row_security = off", "row_security=off is set for -"),
        ("ALTER TABLE sales OWNER TO morrow_api", "morrow_api owns sales"),
        ("ALTER SCHEMA public OWNER TO morrow_worker", "morrow_worker owns schema public"),
        (f"{INSECURE_VIEW}", "seen: a view that is not security_invoker"),
        ("CREATE MATERIALIZED VIEW seen AS SELECT * FROM sales", "seen: relations of kind m"),
        (
            "CREATE RULE shown AS ON INSERT TO sales DO ALSO SELECT * FROM tenants",
            "sales: rule shown",
        ),
        ("CREATE PUBLICATION everything FOR ALL TABLES", "everything: a publication"),
        ("CREATE EXTENSION pg_trgm", "pg_trgm: an extension"),
        (DEFINED, "peek(): SECURITY DEFINER, and not on the list"),
        (f"ALTER FUNCTION {SIGNATURE} RESET search_path", "without the fixed search_path"),
        (f"ALTER FUNCTION {SIGNATURE} SET search_path = public", "without the fixed search_path"),
        (f"ALTER FUNCTION {SIGNATURE} OWNER TO postgres", "not of morrow_definer"),
        (f"GRANT EXECUTE ON FUNCTION {SIGNATURE} TO PUBLIC", "executed by PUBLIC"),
        (f"ALTER FUNCTION {SIGNATURE} SECURITY INVOKER", "on the list, but no SECURITY DEFINER"),
        ("CREATE UNIQUE INDEX ux ON tenants (slug)", "ux: a unique key without tenant_id"),
        (
            "CREATE UNIQUE INDEX ux ON tenants (slug) INCLUDE (tenant_id)",
            "ux: a unique key without tenant_id",
        ),
        (
            "ALTER TABLE forecasts DROP CONSTRAINT pk_forecasts; "
            "ALTER TABLE forecasts ADD PRIMARY KEY (model_id, tenant_id, date)",
            "forecasts: a primary key that does not begin",
        ),
        (
            "ALTER TABLE job_events ADD other uuid, ADD CONSTRAINT crossed "
            "FOREIGN KEY (other, job_id) REFERENCES jobs (tenant_id, id)",
            "crossed of job_events: a foreign key",
        ),
        (
            "CREATE TABLE note (id bigint PRIMARY KEY, text text); GRANT SELECT ON note TO PUBLIC",
            "note: without tenant_id, and open to morrow_api",
        ),
        (
            "CREATE TABLE note (id bigint PRIMARY KEY, text text); "
            "GRANT UPDATE (text) ON note TO morrow_worker",
            "note: without tenant_id, and open to morrow_worker",
        ),
        (
            "ALTER TABLE sale_corrections DROP CONSTRAINT pk_sale_corrections, "
            "ALTER tenant_id DROP NOT NULL",
            "sale_corrections: tenant_id may be null",
        ),
    ],
)
async def test_a_breach_is_found_and_named(admin: Connection, planted: str, told: str) -> None:
    await admin.execute(planted)
    found = await breaches(admin)
    assert any(told in breach for breach in found), found


@pytest.mark.parametrize(
    ("planted", "line"),
    [
        ("GRANT SELECT ON api_keys TO morrow_worker", "table api_keys: morrow_worker SELECT"),
        ("GRANT TRUNCATE ON sales TO PUBLIC", "table sales: PUBLIC TRUNCATE"),
        (
            "GRANT SELECT (digest) ON api_keys TO morrow_worker",
            "column api_keys.digest: morrow_worker SELECT",
        ),
        (
            "GRANT SELECT ON alembic_version TO morrow_api WITH GRANT OPTION",
            "table alembic_version: morrow_api SELECT*",
        ),
        (
            "GRANT USAGE ON SEQUENCE queue_turn TO morrow_worker",
            "sequence queue_turn: morrow_worker USAGE",
        ),
        ("GRANT CREATE ON SCHEMA public TO morrow_api", "schema public: morrow_api CREATE USAGE"),
        ("GRANT CREATE ON SCHEMA public TO PUBLIC", "schema public: PUBLIC CREATE USAGE"),
        (
            "ALTER DEFAULT PRIVILEGES FOR ROLE morrow_owner "
            "GRANT SELECT ON TABLES TO morrow_worker",
            "default r of morrow_owner: morrow_worker SELECT",
        ),
        (
            "CREATE FUNCTION free() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "function free(): PUBLIC EXECUTE",
        ),
        (
            "GRANT SET ON PARAMETER session_replication_role TO morrow_api",
            "parameter session_replication_role: morrow_api SET",
        ),
    ],
)
async def test_a_privilege_too_many_is_found(admin: Connection, planted: str, line: str) -> None:
    await admin.execute(planted)
    assert line in set(await granted(admin)) - set(expected())


async def test_a_privilege_too_few_is_found(admin: Connection) -> None:
    await admin.execute("REVOKE DELETE ON sales FROM morrow_api")
    assert "table sales: morrow_api DELETE INSERT SELECT UPDATE" not in await granted(admin)
