"""What stands in for a source that is away."""

from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.sources.beside.traffic import WEEK, WEEKS
from services.training.sources.kinds import SourceName


class Basis(StrEnum):
    """`stored`: the last that it said still reaches today. `usual`: it does not, and the usual
    takes its place. `none`: nothing of it is known, and the series go without."""

    STORED = "stored"
    USUAL = "usual"
    NONE = "none"


REACHES: Final = {
    SourceName.WEATHER: text(
        "SELECT bool_or(lead > 0 AND date >= :since) FROM weather_days "
        "WHERE tenant_id = app_tenant()"
    ),
    SourceName.TRAFFIC: text(
        "SELECT bool_or(date >= :since) FROM traffic_days WHERE tenant_id = app_tenant()"
    ),
}
RECENT: Final = {
    SourceName.WEATHER: timedelta(0),
    SourceName.TRAFFIC: timedelta(days=WEEK * WEEKS),
}


async def read_basis(session: AsyncSession, name: SourceName, today: date) -> Basis:
    """Of sales there is nothing usual to put in their place: what is stored is all there is."""
    if name is SourceName.SALES:
        return Basis.STORED
    reaches: bool | None = await session.scalar(REACHES[name], {"since": today - RECENT[name]})
    if reaches is None:
        return Basis.NONE
    return Basis.STORED if reaches else Basis.USUAL
