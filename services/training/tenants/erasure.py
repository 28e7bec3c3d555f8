"""Erasing a tenant: every row of every table that is its own, counted."""

from uuid import UUID

from sqlalchemy import CursorResult, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.training import tables
from services.training.audit.action import Action
from services.training.audit.actor import OPERATOR
from services.training.audit.record import record

# The record of what was done is append-only, also for the service; it holds no sales.
KEPT = frozenset({"audit_log", "audit_heads"})


def erased_tables() -> list[type[tables.Table]]:
    """Every table that erasure empties, children before their parents."""
    by_name = {found.class_.__tablename__: found.class_ for found in tables.Table.registry.mappers}
    ordered = reversed(tables.Table.metadata.sorted_tables)
    return [by_name[table.name] for table in ordered if table.name not in KEPT]


async def count_rows(session: AsyncSession) -> dict[str, int]:
    """How many rows each table holds of the session's tenant."""
    counts = {}
    for table in erased_tables():
        counts[table.__tablename__] = (
            await session.scalar(select(func.count()).select_from(table)) or 0
        )
    return counts


async def erase_rows(session: AsyncSession, tenant_id: UUID) -> dict[str, int]:
    """Delete every row of the session's tenant; returns how many of each table.

    The record says so, which is how other hosts know that what waits on their disks may go.
    """
    counts = {}
    for table in erased_tables():
        gone = await session.execute(delete(table))
        assert isinstance(gone, CursorResult)
        counts[table.__tablename__] = gone.rowcount
    record(session, OPERATOR, Action.TENANT_ERASED, f"tenant:{tenant_id}", after={"rows": counts})
    return counts
