"""What a tenant used, a row a day and kind; days are those of UTC."""

import datetime as dt
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from sqlalchemy import ColumnElement, cast, func, select
from sqlalchemy import Date as SqlDate
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.tables import Usage

TODAY: Final[ColumnElement[dt.date]] = cast(func.timezone("UTC", func.now()), SqlDate)


class Kind(StrEnum):
    """`rows`: imported, pulled or replayed. `cpu_seconds`: of the children that train, and of what
    they start. `trainings`: models published. `forecasts`: of series, served."""

    ROWS = "rows"
    TRAININGS = "trainings"
    CPU_SECONDS = "cpu_seconds"
    FORECASTS = "forecasts"


async def meter(session: AsyncSession, used: Mapping[Kind, float]) -> None:
    """Add to what the session's tenant used today, in the caller's transaction: to be said last in
    it, because until it ends others who meter the same wait."""
    rows = [
        {"tenant_id": session.info["tenant_id"], "day": TODAY, "kind": kind.value, "amount": amount}
        for kind, amount in sorted(used.items())
        if amount
    ]
    if rows:
        new = insert(Usage).values(rows)
        await session.execute(
            new.on_conflict_do_update(
                index_elements=["tenant_id", "day", "kind"],
                set_={"amount": Usage.amount + new.excluded.amount},
            )
        )


async def used_today(session: AsyncSession) -> dict[Kind, float]:
    """By kind, of the session's tenant; those unused are 0."""
    found = await session.execute(select(Usage.kind, Usage.amount).where(Usage.day == TODAY))
    amounts = {row.kind: row.amount for row in found}
    return {kind: amounts.get(kind.value, 0.0) for kind in Kind}


async def today(session: AsyncSession) -> dt.date:
    """The day by the database's clock, UTC."""
    return (await session.scalars(select(TODAY))).one()


async def read_usage_by_day(
    session: AsyncSession, first: dt.date, last: dt.date
) -> Sequence[Usage]:
    """What the session's tenant used on the days from `first` to `last`."""
    wanted = select(Usage).where(Usage.day.between(first, last))
    return (await session.scalars(wanted.order_by(Usage.day, Usage.kind))).all()
