"""A row for any table, made for the columns that it has."""

import json
from typing import Any
from uuid import UUID

import asyncpg

from services.training.tables import Table

Connection = asyncpg.Connection

COLUMNS = """
SELECT a.attname::text AS name, format_type(a.atttypid, NULL) AS type
FROM pg_attribute a
WHERE a.attrelid = $1::text::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attnotnull
"""
VALUES: dict[str, Any] = {
    "bytea": "\\x00",
    "date": "2026-01-01",
    "jsonb": {},
    "text": "x",
    "timestamp with time zone": "2026-01-01T00:00:00Z",
    "uuid": "00000000-0000-0000-0000-00000000000a",
}


def value_of(kind: str) -> object:
    if kind.endswith("[]"):
        return []
    return VALUES.get(kind, False if kind == "boolean" else 1)


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


async def fill(admin: Connection, *owners: UUID) -> None:
    """A row of each of `owners` in every table; no foreign key or trigger says no first."""
    await admin.execute("SET session_replication_role = replica")
    for table in Table.metadata.tables:
        for owner in owners:
            await insert(admin, table, await row_of(admin, table, owner))
    await admin.execute("RESET session_replication_role")
