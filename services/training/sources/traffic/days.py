"""Days of traffic as every kind returns them, and how they are kept."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.sources.faults import SourceFault
from services.training.sources.run import Location, Run

LARGEST: Final = 1e9

KEEP: Final = text("""
INSERT INTO traffic_days AS t (tenant_id, location, date, level, samples, known_at)
SELECT (SELECT app_tenant()), CAST(:location AS text), d.date, d.level, 1, :known_at
FROM unnest(CAST(:dates AS date[]), CAST(:levels AS float8[])) AS d (date, level)
ON CONFLICT (tenant_id, location, date) DO UPDATE
SET level = excluded.level, samples = 1, known_at = excluded.known_at
WHERE t.known_at <= excluded.known_at
""")
ADD: Final = text("""
INSERT INTO traffic_days AS t (tenant_id, location, date, level, samples, known_at)
VALUES (app_tenant(), :location, :date, :level, 1, :known_at)
ON CONFLICT (tenant_id, location, date) DO UPDATE
SET level = (t.level * t.samples + excluded.level) / (t.samples + 1), samples = t.samples + 1,
  known_at = excluded.known_at
""")


@dataclass(frozen=True, slots=True)
class TrafficDay:
    """A day's index: not negative, of any scale, the same for every day of a place."""

    date: date
    level: float


@dataclass(frozen=True, slots=True)
class Place:
    """A location that has coordinates."""

    location: Location
    latitude: float
    longitude: float


async def keep_days(
    session: AsyncSession, location: str, days: list[TrafficDay], known_at: datetime
) -> int:
    """Write whole days; of two words on one the later holds."""
    if days:
        values = {"dates": [day.date for day in days], "levels": [day.level for day in days]}
        await session.execute(KEEP, {"location": location, "known_at": known_at, **values})
    return len(days)


async def add_sample(
    session: AsyncSession, location: str, day: TrafficDay, known_at: datetime
) -> int:
    """Count one measurement into the mean of its day."""
    values = {"date": day.date, "level": day.level, "known_at": known_at}
    await session.execute(ADD, {"location": location, **values})
    return 1


def require_places(run: Run) -> list[Place]:
    """The tenant's locations that have coordinates; those without are warned of."""
    places = [
        Place(each, each.latitude, each.longitude)
        for each in run.connected.locations
        if each.latitude is not None and each.longitude is not None
    ]
    missing = len(run.connected.locations) - len(places)
    if missing:
        run.warn("location_without_coordinates", f"{missing} locations have no coordinates")
    if not places:
        raise SourceFault(
            "no_coordinates",
            "no location has coordinates: give them with PUT /api/v1/locations/{location}",
        )
    return places
