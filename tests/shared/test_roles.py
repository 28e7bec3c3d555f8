"""Morrow's database roles, on a real server of their own: roles belong to a whole server."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TypeAlias

import asyncpg
import pytest

import migrations
from shared.postgres import EmbeddedPostgres, RunningPostgres
from shared.roles import API, DEFINER, MIGRATOR, OWNER, ROLES_SQL, WORKER

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
STRANGER = "alice"


@pytest.fixture(scope="module")
def server() -> Iterator[RunningPostgres]:
    with (
        tempfile.TemporaryDirectory(prefix="morrow-") as folder,
        EmbeddedPostgres(fsync=False, stop_seconds=10).start(Path(folder)) as running,
    ):
        yield running


@pytest.fixture
async def superuser(server: RunningPostgres) -> AsyncIterator[Connection]:
    """In a transaction that is rolled back."""
    connection = await asyncpg.connect(server.url())
    transaction = connection.transaction()
    await transaction.start()
    yield connection
    await transaction.rollback()
    await connection.close()


async def test_nobody_of_morrow_has_power_over_the_server(superuser: Connection) -> None:
    rows = await superuser.fetch(
        "SELECT rolname, rolcanlogin, rolsuper, rolbypassrls, rolcreatedb, rolcreaterole,"
        " rolreplication FROM pg_roles WHERE rolname LIKE 'morrow%'"
    )
    assert {row["rolname"] for row in rows} == {API, DEFINER, MIGRATOR, OWNER, WORKER}
    assert {tuple(row)[2:] for row in rows} == {(False,) * 5}
    assert {row["rolname"] for row in rows if row["rolcanlogin"]} == {API, MIGRATOR, WORKER}


async def test_only_the_migrator_becomes_another(superuser: Connection) -> None:
    rows = await superuser.fetch(
        "SELECT member::regrole::text, roleid::regrole::text FROM pg_auth_members"
        " WHERE member::regrole::text LIKE 'morrow%'"
    )
    assert {tuple(row) for row in rows} == {(MIGRATOR, OWNER), (MIGRATOR, DEFINER)}


async def test_the_migrator_needs_no_power_to_run_it_again(server: RunningPostgres) -> None:
    connection = await asyncpg.connect(server.url(MIGRATOR))
    await connection.execute(ROLES_SQL)
    for role in (DEFINER, OWNER):
        await connection.execute(f"SET ROLE {role}")
    await connection.execute("CREATE TABLE owned (); DROP TABLE owned")
    await connection.close()


@pytest.mark.parametrize("role", [API, WORKER])
@pytest.mark.parametrize("power", ["SUPERUSER", "BYPASSRLS"])
async def test_a_service_that_sees_all_tenants_is_refused(
    superuser: Connection, role: str, power: str
) -> None:
    await superuser.execute(f"ALTER ROLE {role} {power}")
    with pytest.raises(asyncpg.RaiseError, match=f"role {role} is SUPERUSER or BYPASSRLS"):
        await superuser.execute(ROLES_SQL)


@pytest.mark.parametrize("above", [OWNER, DEFINER, MIGRATOR])
async def test_a_service_above_the_rules_is_refused(superuser: Connection, above: str) -> None:
    await superuser.execute(f"GRANT {above} TO {WORKER}")
    with pytest.raises(asyncpg.RaiseError, match=f"role {WORKER} is a member of"):
        await superuser.execute(ROLES_SQL)


async def test_a_stranger_who_may_make_roles_makes_them_all(server: RunningPostgres) -> None:
    """The last test here: it ends with a server that is not like the one the others want."""
    superuser = await asyncpg.connect(server.url(database="postgres"))
    await superuser.execute("DROP DATABASE morrow")
    for role in (API, WORKER, MIGRATOR, DEFINER, OWNER):
        await superuser.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")
    await superuser.execute(f"CREATE ROLE {STRANGER} LOGIN CREATEROLE PASSWORD 'rabbit'")
    await superuser.execute(f"CREATE DATABASE hers OWNER {STRANGER}")
    await superuser.execute(f"CREATE DATABASE migrated OWNER {STRANGER}")
    await superuser.close()

    url = server.url(database="hers").replace(
        f"postgres:{server.passwords['postgres']}", f"{STRANGER}:rabbit"
    )
    stranger = await asyncpg.connect(url)
    for _ in range(2):
        await stranger.execute(ROLES_SQL)
    await stranger.execute(f"SET ROLE {OWNER}")
    await stranger.execute(f"GRANT CREATE ON SCHEMA public TO {DEFINER}")
    await stranger.execute("CREATE TABLE owned ()")
    await stranger.execute(f"SET ROLE {DEFINER}")
    await stranger.execute("CREATE TABLE defined ()")
    owners = await stranger.fetch("SELECT tableowner FROM pg_tables WHERE schemaname = 'public'")
    await stranger.close()
    assert {row["tableowner"] for row in owners} == {OWNER, DEFINER}
    await asyncio.to_thread(migrations.upgrade, url.replace("/hers", "/migrated"))
