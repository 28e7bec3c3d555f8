"""How well a source does: what is known through when, where nothing is, and how fresh it is."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.sources.kinds import SourceName
from services.training.sources.schemas import Gap

MOST_GAPS: Final = 100
LONGEST_PAST: Final = dt.timedelta(days=3653)

# A location's days are those on which any of its products has a row, whatever that says.
SALES_DAYS: Final = """
SELECT location, date FROM (
  SELECT DISTINCT s.location, x.date FROM series s
  JOIN sales x ON x.tenant_id = s.tenant_id AND x.series_id = s.id
  WHERE s.tenant_id = app_tenant() AND x.date > now() - CAST(:past AS interval)
    AND (x.quantity IS NOT NULL OR x.open = false)
) d"""
WEATHER_DAYS: Final = """
SELECT cell AS location, date FROM weather_days
WHERE tenant_id = app_tenant() AND lead = 0 AND date > now() - CAST(:past AS interval)"""
TRAFFIC_DAYS: Final = """
SELECT location, date FROM traffic_days
WHERE tenant_id = app_tenant() AND date > now() - CAST(:past AS interval)"""
# Runs of days by Itzik Ben-Gan's islands: within a run the day less its rank does not change.
RUNS: Final = """
SELECT location, min(date) AS first, max(date) AS last FROM (
  SELECT location, date,
    date - (row_number() OVER (PARTITION BY location ORDER BY date))::int AS run
  FROM ({days}) days
) ranked GROUP BY location, run ORDER BY location, first
"""
QUERIES: Final = {
    SourceName.SALES: text(RUNS.format(days=SALES_DAYS)),
    SourceName.WEATHER: text(RUNS.format(days=WEATHER_DAYS)),
    SourceName.TRAFFIC: text(RUNS.format(days=TRAFFIC_DAYS)),
}


@dataclass(frozen=True, slots=True)
class Known:
    """The last day that is known at every location that has any, and the days between that are
    not, the longest gaps first."""

    data_through: dt.date | None
    gaps: Sequence[Gap]
    gap_days: int


async def read_known(session: AsyncSession, name: SourceName) -> Known:
    """Of the last ten years. Weather is by cell of the grid, which stands as `location`."""
    runs: dict[str, list[tuple[dt.date, dt.date]]] = defaultdict(list)
    for row in await session.execute(QUERIES[name], {"past": LONGEST_PAST}):
        runs[row.location].append((row.first, row.last))
    gaps = [gap for location, found in runs.items() for gap in _between(location, found)]
    gaps.sort(key=lambda gap: (-gap.days, gap.location, gap.first))
    return Known(
        data_through=min((found[-1][1] for found in runs.values()), default=None),
        gaps=gaps[:MOST_GAPS],
        gap_days=sum(gap.days for gap in gaps),
    )


def _between(location: str, runs: Sequence[tuple[dt.date, dt.date]]) -> list[Gap]:
    one = dt.timedelta(days=1)
    return [
        Gap(location=location, first=ended + one, last=begun - one, days=(begun - ended).days - 1)
        for (_, ended), (begun, _) in pairwise(runs)
    ]
