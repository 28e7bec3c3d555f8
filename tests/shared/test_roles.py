"""Morrow's database roles, on a real server."""

import asyncpg

from shared.postgres import RunningPostgres
from shared.roles import API, DEFINER, MIGRATOR, OWNER, WORKER


async def test_services_are_neither_superusers_nor_above_row_security(
    postgres_server: RunningPostgres,
) -> None:
    connection = await asyncpg.connect(postgres_server.url())
    rows = await connection.fetch(
        "SELECT rolname, rolcanlogin, rolsuper, rolbypassrls, rolcreatedb, rolcreaterole,"
        " rolreplication FROM pg_roles WHERE rolname LIKE 'morrow%'"
    )
    await connection.close()
    powers = {row["rolname"]: tuple(row)[2:] for row in rows}
    assert set(powers) == {API, DEFINER, MIGRATOR, OWNER, WORKER}
    assert set(powers.values()) == {(False,) * 5}
    assert {row["rolname"] for row in rows if row["rolcanlogin"]} == {API, MIGRATOR, WORKER}
