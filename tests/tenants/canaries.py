"""A row of a tenant in every table there is, each with a canary wherever there is room for one."""

import datetime as dt
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from services.training.tables import Table
from services.training.tenants.erased_rows import KEPT

SAME_UUID = UUID(int=12)
"""So that what refers to another row finds it."""
ROW: dict[str, Any] = {
    "uuid": SAME_UUID,
    "timestamp with time zone": dt.datetime(2026, 1, 2, tzinfo=dt.UTC),
    "date": dt.date(2026, 1, 2),
    "bigint": 1,
    "smallint": 1,
    "integer": 1,
    "double precision": 1.5,
    "boolean": True,
    "date[]": [dt.date(2026, 1, 2)],
    "double precision[]": [1.5],
}
COLUMNS = """
SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type
FROM pg_attribute a WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped
"""
EVERYTHING = """
SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
WHERE schemaname !~ '^(pg_|information_schema$)'
"""

Connection = asyncpg.Connection


async def fill(
    admin: Connection, tenant_id: UUID, canary: str, but: Collection[str] = KEPT
) -> None:
    """Where the tenant has such a row already, that one stays."""
    for table in Table.metadata.sorted_tables:
        if table.name in but:
            continue
        columns = await admin.fetch(COLUMNS, table.name)
        names = ", ".join(column["name"] for column in columns)
        places = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
        values = [
            tenant_id if column["name"] == "tenant_id" else value_of(column["type"], canary)
            for column in columns
        ]
        await admin.execute(
            f"INSERT INTO {table.name} ({names}) OVERRIDING SYSTEM VALUE VALUES ({places}) "
            "ON CONFLICT DO NOTHING",
            *values,
        )


def value_of(kind: str, canary: str) -> Any:
    match kind:
        case "text":
            return canary
        case "text[]":
            return [canary]
        case "jsonb":
            return json.dumps({"told": canary})
        case "bytea":
            return canary.encode()
    return ROW[kind]


async def tables_with(admin: Connection, canary: str) -> dict[str, int]:
    """In which tables of the database it is, as text or as bytes, and in how many rows."""
    found = {}
    for (name,) in await admin.fetch(EVERYTHING):
        rows = await admin.fetchval(
            f"SELECT count(*) FROM {name} AS t WHERE t::text ILIKE $1 OR t::text ILIKE $2",
            f"%{canary}%",
            f"%{canary.encode().hex()}%",
        )
        if rows:
            found[name.removeprefix("public.")] = rows
    return found


def files_with(folder: Path, canary: str) -> list[str]:
    """The files and directories below that hold it, or are called so."""
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if canary in path.name or (path.is_file() and canary.encode() in path.read_bytes())
    )
