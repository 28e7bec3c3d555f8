"""Cells of a grid of a tenth of a degree, some 11 km: what is asked about, once for all that lie
in one. No supplier learns more exactly where a shop is."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from services.training.sources.faults import SourceFault
from services.training.sources.run import Location, Run

GRACE: Final = timedelta(hours=12)
"""What is known by noon is of the day before: a training early in the morning is about what was
sold until the evening, and knows the forecast of the morning."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Its middle, rounded, and the time zone whose days its weather is of."""

    latitude: float
    longitude: float
    zone: ZoneInfo

    @property
    def key(self) -> str:
        return key_of(self.latitude, self.longitude)

    def today(self, now: datetime) -> date:
        return now.astimezone(self.zone).date()


def key_of(latitude: float, longitude: float) -> str:
    return f"{round(latitude, 1) + 0.0:.1f},{round(longitude, 1) + 0.0:.1f}"


def origin_of(known_at: datetime, zone: ZoneInfo) -> date:
    """The day at whose end something counts as known."""
    return (known_at.astimezone(zone) - GRACE).date()


def cells_of(locations: Sequence[Location]) -> list[Cell]:
    """The cells in which there are locations, each once; of one in two time zones the first."""
    found: dict[str, Cell] = {}
    for each in locations:
        if each.latitude is not None and each.longitude is not None:
            latitude, longitude = (float(f"{at:.1f}") for at in (each.latitude, each.longitude))
            found.setdefault(
                key_of(latitude, longitude), Cell(latitude + 0.0, longitude + 0.0, each.zone)
            )
    return list(found.values())


def require_cells(run: Run) -> list[Cell]:
    """The tenant's; a location without coordinates is warned of, and without any there is none."""
    locations = run.connected.locations
    nowhere = [each.name for each in locations if each.latitude is None or each.longitude is None]
    if nowhere:
        named = ", ".join(nowhere[:5])
        run.warn(
            "location_without_coordinates",
            f"{len(nowhere)} locations have none, so nothing is known of their weather: {named}",
        )
    cells = cells_of(locations)
    if not cells:
        raise SourceFault(
            "no_coordinates",
            "no location has coordinates: give them with PUT /api/v1/locations/{location}",
        )
    return cells


def by_zone(cells: Sequence[Cell]) -> list[list[Cell]]:
    """Cells whose days begin together."""
    found: defaultdict[str, list[Cell]] = defaultdict(list)
    for cell in cells:
        found[cell.zone.key].append(cell)
    return list(found.values())
