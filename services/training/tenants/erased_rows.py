"""A tenant's rows: counted, deleted a few at a time, and looked for where nobody thought of."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import CursorResult, column, delete, func, select, text, tuple_
from sqlalchemy import table as relation
from sqlalchemy.ext.asyncio import AsyncSession

from services.training import tables

KEPT: Final = frozenset({"audit_log", "audit_heads", "erasures"})
"""What outlives its tenant: the chain of the record, without what its entries told, and the
receipt."""
TABLES_OF_TENANTS: Final = text("""
SELECT n.nspname AS schema, c.relname AS name
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
WHERE c.relkind IN ('r', 'p') AND NOT a.attisdropped AND c.relpersistence <> 't'
  AND n.nspname !~ '^(pg_|information_schema$)'
ORDER BY 2
""")
UNSEEN: Final = {"execution_options": {"synchronize_session": False}}
"""The session holds none of the rows."""


def erased_tables() -> Sequence[type[tables.Table]]:
    """Every table that erasure empties, children before their parents; but the tasks first of all,
    so that nothing of the tenant runs any more."""
    by_name = {found.class_.__tablename__: found.class_ for found in tables.Table.registry.mappers}
    ordered = reversed(tables.Table.metadata.sorted_tables)
    found = [by_name[table.name] for table in ordered if table.name not in KEPT]
    return sorted(found, key=lambda table: table is not tables.Task)


async def count_rows(session: AsyncSession) -> dict[str, int]:
    """How many rows each table holds of the session's tenant."""
    return {
        table.__tablename__: await session.scalar(select(func.count()).select_from(table)) or 0
        for table in erased_tables()
    }


async def erase_some(session: AsyncSession, table: type[tables.Table], most: int) -> int:
    """Delete at most so many rows of the session's tenant; how many they were."""
    key = list(table.__table__.primary_key)
    chosen = select(*key).where(table.tenant_id == func.app_tenant()).limit(most)
    gone = await session.execute(delete(table).where(tuple_(*key).in_(chosen)), **UNSEEN)
    assert isinstance(gone, CursorResult)
    return gone.rowcount


async def erase_rest(session: AsyncSession) -> dict[str, int]:
    """Delete whatever is left of the session's tenant; how many rows of which table."""
    counts = {}
    for table in erased_tables():
        gone = await session.execute(delete(table), **UNSEEN)
        assert isinstance(gone, CursorResult)
        counts[table.__tablename__] = gone.rowcount
    return counts


async def find_rows(session: AsyncSession) -> dict[str, int]:
    """Rows of the session's tenant in whatever table the database has, whoever made it."""
    found = {}
    for found_in in (await session.execute(TABLES_OF_TENANTS)).all():
        if found_in.name not in KEPT:
            rows = relation(found_in.name, column("tenant_id"), schema=found_in.schema)
            counted = select(func.count()).where(rows.c.tenant_id == func.app_tenant())
            found[found_in.name] = await session.scalar(counted) or 0
    return {name: count for name, count in found.items() if count}
