"""Days of weather as every kind returns them, and how they are kept."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.sources.faults import SourceFault
from services.training.sources.reading import wrong
from services.training.sources.weather.cells import Cell, origin_of
from shared.upstream.payload import Json

Floats = npt.NDArray[np.float64]

VARIABLES: Final = ("temp_mean", "temp_min", "temp_max", "precipitation", "wind", "sunshine")
RANGES: Final = {
    "temp_mean": (-100.0, 70.0),
    "temp_min": (-100.0, 70.0),
    "temp_max": (-100.0, 70.0),
    "precipitation": (0.0, 3000.0),
    "wind": (0.0, 150.0),
    "sunshine": (0.0, 86_400.0),
}
"""Beyond what was ever measured anywhere: °C, mm, °C, m/s, seconds a day."""
LONGEST_LEAD: Final = 16
OBSERVED: Final = 0

_VALUES = ", ".join(VARIABLES)
_SET = ", ".join(f"{name} = excluded.{name}" for name in VARIABLES)
KEEP: Final = text(
    f"INSERT INTO weather_days AS w (tenant_id, cell, date, lead, known_at, {_VALUES}) "  # noqa: S608 - ours
    "SELECT (SELECT app_tenant()), * FROM unnest(CAST(:cell AS text[]), CAST(:date AS date[]), "
    "CAST(:lead AS smallint[]), CAST(:known_at AS timestamptz[]), "
    + ", ".join(f"CAST(:{name} AS float8[])" for name in VARIABLES)
    + ") ON CONFLICT (tenant_id, cell, date, lead) DO UPDATE "
    f"SET known_at = excluded.known_at, {_SET} WHERE w.known_at <= excluded.known_at"
)


@dataclass(frozen=True, slots=True)
class DaysRead:
    """Days in order, each once, and their variables; NaN is unknown."""

    days: list[date]
    values: dict[str, Floats]

    def known(self) -> npt.NDArray[np.bool_]:
        """The days of which anything is."""
        found = np.zeros(len(self.days), dtype=bool)
        for values in self.values.values():
            found |= ~np.isnan(values)
        return found


@dataclass(frozen=True, slots=True)
class WeatherRow:
    """A day of a cell, as it came (`lead` 0) or as foreseen so many days before."""

    cell: str
    date: date
    lead: int
    known_at: datetime
    values: dict[str, float | None]


def observed(cell: Cell, read: DaysRead, known_at: datetime) -> list[WeatherRow]:
    """What came, as known at an instant."""
    known = read.known()
    return [
        WeatherRow(cell.key, day, OBSERVED, known_at, _values_at(read, at))
        for at, day in enumerate(read.days)
        if known[at]
    ]


def foreseen(cell: Cell, read: DaysRead, known_at: datetime) -> list[WeatherRow]:
    """What is foreseen at an instant; of days that have been nothing is."""
    origin = origin_of(known_at, cell.zone)
    known = read.known()
    return [
        WeatherRow(cell.key, day, (day - origin).days, known_at, _values_at(read, at))
        for at, day in enumerate(read.days)
        if known[at] and 1 <= (day - origin).days <= LONGEST_LEAD
    ]


def between(read: DaysRead, first: date, last: date) -> DaysRead:
    """The days from `first` to `last` alone."""
    kept = [at for at, day in enumerate(read.days) if first <= day <= last]
    return DaysRead(
        [read.days[at] for at in kept],
        {name: values[kept] for name, values in read.values.items()},
    )


async def keep_days(session: AsyncSession, rows: list[WeatherRow]) -> int:
    """Write them; of two words on a day the one that was known later holds. Returns how many."""
    if rows:
        columns: dict[str, list[object]] = {
            name: [getattr(row, name) for row in rows]
            for name in ("cell", "date", "lead", "known_at")
        }
        for name in VARIABLES:
            columns[name] = [row.values.get(name) for row in rows]
        await session.execute(KEEP, columns)
    return len(rows)


def read_floats(value: Json, where: str, days: int, least: float, most: float) -> Floats:
    """A list of so many numbers between these; null is NaN."""
    if not isinstance(value, list) or len(value) != days:
        raise wrong(where, value, f"a list of {days} numbers")
    if not {type(each) for each in value} <= {int, float, type(None)}:
        odd = next(each for each in value if type(each) not in (int, float, type(None)))
        raise wrong(where, odd, "a number or null")
    numbers = np.array([np.nan if each is None else each for each in value], dtype=np.float64)
    outside = (numbers < least) | (numbers > most)
    if outside.any():
        raise SourceFault(
            "value_out_of_range",
            f"{where} holds {numbers[outside][0]:g}, not between {least:g} and {most:g}",
        )
    return numbers


def require_in_order(days: list[date], where: str) -> list[date]:
    """Days that come each once, the earlier first."""
    if any(later <= day for day, later in pairwise(days)):
        raise SourceFault("days_out_of_order", f"{where}: days come each once, the earlier first")
    return days


def day_range(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _values_at(read: DaysRead, at: int) -> dict[str, float | None]:
    return {
        name: None if np.isnan(values[at]) else float(values[at])
        for name, values in read.values.items()
    }
