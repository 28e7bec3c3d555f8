"""What a tenant used, day by day, beside what it may use."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel

from services.training.deps import Reader, Transaction
from services.training.metering.caps import read_limits
from services.training.metering.usage import Kind, read_usage_by_day, today
from services.training.tables import Usage
from shared.errors import invalid
from shared.scalars import Day

router = APIRouter(tags=["tenants"])

DAYS: Final = 30
MOST_DAYS: Final = 400


class DayUsed(BaseModel):
    """`rows`: imported. `trainings`: models published. `cpu_seconds`: of the children that learnt,
    and of what they started. `forecasts`: of series, served; told some seconds later."""

    date: dt.date
    rows: int
    trainings: int
    cpu_seconds: float
    forecasts: int


class UsageOut(BaseModel):
    """Every day from `from` to `to`, UTC; a quota that is null has no end."""

    items: list[DayUsed]
    quotas: dict[Kind, int | None]


@router.get("/usage")
async def get_usage(
    _: Reader,
    session: Transaction,
    first: Annotated[Day | None, Query(alias="from", description="first day")] = None,
    last: Annotated[Day | None, Query(alias="to", description="last day, included")] = None,
) -> UsageOut:
    """What was used, by day: of the last thirty days where nothing else is asked for."""
    last = last or await today(session)
    first = first or _before(last, DAYS - 1)
    if first > last:
        raise invalid("from", "empty_range", f"from={first} is after to={last}")
    if (last - first).days >= MOST_DAYS:
        raise invalid("from", "range_too_long", f"at most {MOST_DAYS} days at once")
    limits = await read_limits(session)
    used = _by_day(await read_usage_by_day(session, first, last))
    return UsageOut(
        items=[_day(day, used.get(day, {})) for day in _days(first, last)],
        quotas={
            Kind.ROWS: limits.rows_per_day,
            Kind.TRAININGS: None,
            Kind.CPU_SECONDS: limits.cpu_seconds_per_day,
            Kind.FORECASTS: None,
        },
    )


def _before(day: dt.date, days: int) -> dt.date:
    return dt.date.fromordinal(max(1, day.toordinal() - days))


def _days(first: dt.date, last: dt.date) -> Iterator[dt.date]:
    return map(dt.date.fromordinal, range(first.toordinal(), last.toordinal() + 1))


def _by_day(rows: Sequence[Usage]) -> dict[dt.date, dict[str, float]]:
    found: dict[dt.date, dict[str, float]] = {}
    for row in rows:
        found.setdefault(row.day, {})[row.kind] = row.amount
    return found


def _day(day: dt.date, used: Mapping[str, float]) -> DayUsed:
    return DayUsed(
        date=day,
        rows=round(used.get(Kind.ROWS, 0)),
        trainings=round(used.get(Kind.TRAININGS, 0)),
        cpu_seconds=round(used.get(Kind.CPU_SECONDS, 0), 3),
        forecasts=round(used.get(Kind.FORECASTS, 0)),
    )
