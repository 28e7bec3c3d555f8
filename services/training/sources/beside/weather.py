"""A cell's weather on a run of days: what came, and what was foreseen of each at the end of every
day before it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.demand.foreseen import settled
from services.training.sources.beside.climatology import LONGEST_LEAD as LONGEST_USUAL
from services.training.sources.beside.climatology import climatology
from services.training.sources.weather.days import LONGEST_LEAD, OBSERVED, VARIABLES

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

DAYS: Final = text(
    f"SELECT cell, date, lead, known_at, {', '.join(VARIABLES)} FROM weather_days "  # noqa: S608 - ours
    "WHERE tenant_id = app_tenant() AND cell = ANY (CAST(:cells AS text[])) "
    "AND date BETWEEN :first AND :last ORDER BY cell, date, lead"
)
LEAST_SHARE: Final = 0.5
"""Of the past whose weather must be known for anything to be learnt of it."""


@dataclass(frozen=True, slots=True, eq=False)
class CellWeather:
    """`values[name]` has a row a day from `first` on and a column a lead: the first is what came,
    the others what was foreseen so many days before. `known_at`: the latest word of all."""

    first: date
    values: Mapping[str, Floats]
    known_at: datetime


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """A regressor over the days of a series: its past, and what was foreseen, by lead."""

    past: Floats
    foreseen: Floats


async def read_cells(
    session: AsyncSession, cells: Sequence[str], first: date, last: date
) -> dict[str, CellWeather]:
    """All that is stored of these cells and days; a cell of which nothing is, is left out."""
    rows = (await session.execute(DAYS, {"cells": list(cells), "first": first, "last": last})).all()
    found: dict[str, list[Row[Any]]] = {}
    for row in rows:
        found.setdefault(row.cell, []).append(row)
    return {cell: _of_rows(of_cell, first, last) for cell, of_cell in found.items()}


def _of_rows(rows: Sequence[Row[Any]], first: date, last: date) -> CellWeather:
    days = (last - first).days + 1
    at = np.array([(row.date - first).days for row in rows], dtype=np.int64)
    lead = np.array([row.lead for row in rows], dtype=np.int64)
    values = {}
    for name in VARIABLES:
        values[name] = np.full((days, LONGEST_LEAD + 1), np.nan)
        values[name][at, lead] = [
            np.nan if (value := getattr(row, name)) is None else value for row in rows
        ]
    return CellWeather(first, values, max(row.known_at for row in rows))


def told_of(weather: CellWeather, name: str, start: date, known: int, ahead: int) -> Told | None:
    """One variable on the `known` days of a history from `start` on, and the `ahead` after them.

    A past day of which it is not known what came takes the last that was foreseen, then what is
    usual. What was foreseen of a day so many days before is what was forecast then, as far as
    forecasts reach, and what is usual beyond; of the days ahead it is what is forecast now. None
    where too little of the past is known.
    """
    stored = weather.values[name]
    before = (start - weather.first).days
    came = stored[:, OBSERVED]
    if np.isnan(came[before : before + known]).mean() > 1 - LEAST_SHARE:
        return None
    usual = climatology(came)[before:][: known + ahead]
    stored = stored[before:][: known + ahead]
    latest = _first_known(stored[:, OBSERVED + 1 :])
    past = _or(_or(stored[:known, OBSERVED], latest[:known]), usual[:known])
    leads = min(max(ahead, 1), LONGEST_USUAL)
    foreseen = np.full((known + ahead, leads), np.nan)
    reach = min(leads, LONGEST_LEAD)
    foreseen[:, :reach] = stored[:, OBSERVED + 1 : OBSERVED + 1 + reach]
    for lead in range(1, min(ahead, leads) + 1):  # by now more is known than on the last day sold
        day = known + lead - 1
        foreseen[day, lead - 1] = _or(latest[day : day + 1], foreseen[day : day + 1, lead - 1])[0]
    return Told(past, _or(settled(foreseen), usual[:, np.newaxis]))


def _first_known(columns: Floats) -> Floats:
    """Of each row its first value that is one."""
    found = np.full(len(columns), np.nan)
    for column in columns.T[::-1]:
        found = _or(column, found)
    return found


def _or(values: Floats, otherwise: Floats) -> Floats:
    return np.where(np.isnan(values), otherwise, values)
