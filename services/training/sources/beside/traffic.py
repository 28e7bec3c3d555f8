"""A location's traffic: as it was, and for days to come as it usually is on their weekday."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.sources.beside.weather import LEAST_SHARE, Floats, Told

DAYS: Final = text("""
SELECT location, date, level FROM traffic_days
WHERE tenant_id = app_tenant() AND location = ANY (CAST(:locations AS text[]))
  AND date BETWEEN :first AND :last AND (samples = 1 OR samples >= :fewest)
""")
FEWEST_SAMPLES: Final = 4
"""Measurements of a day, where it is not told as a whole."""
WEEK: Final = 7
WEEKS: Final = 8
FEWEST_WEEKS: Final = 2


@dataclass(frozen=True, slots=True, eq=False)
class LocationTraffic:
    first: date
    level: Floats


async def read_traffic(
    session: AsyncSession, locations: Sequence[str], first: date, last: date, *, sampled: bool
) -> Mapping[str, LocationTraffic]:
    """What is stored of these locations and days; `sampled`: days are means of measurements."""
    values = {"locations": list(locations), "first": first, "last": last}
    fewest = {"fewest": FEWEST_SAMPLES if sampled else 1}
    found: dict[str, LocationTraffic] = {}
    for row in await session.execute(DAYS, values | fewest):
        if row.location not in found:
            empty = np.full((last - first).days + 1, np.nan)
            found[row.location] = LocationTraffic(first, empty)
        found[row.location].level[(row.date - first).days] = row.level
    return found


def told_of(traffic: LocationTraffic, start: date, known: int, ahead: int) -> Told | None:
    """The traffic on the `known` days of a history from `start` on; what was foreseen of a day so
    many days before is the mean of the last weeks' same weekdays that had been by then."""
    before = (start - traffic.first).days
    level = traffic.level.copy()
    level[before + known :] = np.nan
    past = level[before : before + known]
    if np.isnan(past).mean() > 1 - LEAST_SHARE:
        return None
    foreseen = np.full((known + ahead, max(ahead, 1)), np.nan)
    for lead in range(1, foreseen.shape[1] + 1):
        back = WEEK * -(-lead // WEEK)
        foreseen[:, lead - 1] = _weekday_mean(level, before - back, known + ahead)
    return Told(past.copy(), foreseen)


def _weekday_mean(level: Floats, first: int, days: int) -> Floats:
    """Of each of so many days from `first` on: its mean with the same weekdays before it."""
    weeks = np.full((WEEKS, days), np.nan)
    for week in range(WEEKS):
        at = first - WEEK * week + np.arange(days)
        inside = (at >= 0) & (at < len(level))
        weeks[week, inside] = level[at[inside]]
    known = ~np.isnan(weeks)
    count = known.sum(axis=0)
    total = np.where(known, weeks, 0.0).sum(axis=0)
    return np.where(count >= FEWEST_WEEKS, np.round(total / np.maximum(count, 1), 3), np.nan)
