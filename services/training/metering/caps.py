"""Caps on what a tenant can make: none is passed, however many requests make some at once."""

from collections.abc import Callable, Mapping
from typing import Final

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.training import tables
from services.training.metering.limits import Limits, limits_of
from shared.errors import Problem

MOST_OF: Final[Mapping[type[tables.Table], Callable[[Limits], int | None]]] = {
    tables.Location: lambda limits: limits.locations,
    tables.Product: lambda limits: limits.products,
    tables.CalendarEvent: lambda limits: limits.events,
}
"""How many rows a tenant's limits allow of a table."""
TAKE_TURNS = text("SELECT pg_advisory_xact_lock(hashtextextended('caps ' || :tenant, 0))")


async def read_limits(session: AsyncSession) -> Limits:
    """Those of the session's tenant."""
    tenant = await session.scalar(select(tables.Tenant))
    assert tenant is not None, "a tenant is erased only together with all that is its own"
    return limits_of(tenant)


async def take_turns(session: AsyncSession) -> None:
    """To be said before something is made that has a cap: until the transaction ends nobody else of
    the tenant makes any, so that what is counted is right."""
    await session.execute(TAKE_TURNS, {"tenant": str(session.info["tenant_id"])})


async def require_within_caps(session: AsyncSession, *made: type[tables.Table]) -> None:
    """422 `<table>_limit` where there is more of what was made than the tenant's limits allow."""
    limits = await read_limits(session)
    for table in made:
        await require_few(session, table, MOST_OF[table](limits))


async def require_few(session: AsyncSession, table: type[tables.Table], most: int | None) -> None:
    """422 `<table>_limit` where there are more than `most` now: all is rolled back then."""
    if most is None:
        return
    there = await session.scalar(select(func.count()).select_from(table)) or 0
    if there > most:
        raise over(table.__tablename__, most)


def over(what: str, most: int) -> Problem:
    return Problem(
        422,
        f"{what}_limit",
        f"{most} {what.replace('_', ' ')} are the limit: remove some, or ask for a higher limit",
    )
