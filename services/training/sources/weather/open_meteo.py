"""Open-Meteo: what it is asked, and its answers read into days.

https://open-meteo.com/en/docs: days (`daily`, `timezone`) from the archive and the forecast; what
was forecast in the past by the hour alone (`temperature_2m_previous_day1` … 7), since 2024. One
answer for one pair of coordinates, a list of them for several.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final

import numpy as np

from services.training.sources.faults import SourceFault
from services.training.sources.reading import as_day, as_list, as_object, wrong
from services.training.sources.weather.cells import Cell
from services.training.sources.weather.days import (
    RANGES,
    DaysRead,
    Floats,
    read_floats,
    require_in_order,
)
from shared.upstream.payload import Json

DAILY: Final = {
    "temperature_2m_mean": "temp_mean",
    "temperature_2m_min": "temp_min",
    "temperature_2m_max": "temp_max",
    "precipitation_sum": "precipitation",
    "wind_speed_10m_max": "wind",
    "sunshine_duration": "sunshine",
}
HOURLY: Final = ("temperature_2m", "precipitation", "wind_speed_10m")
PREVIOUS_DAYS: Final = range(1, 8)
FEWEST_HOURS: Final = 20
"""Of a day, for it to be known."""
UNITS: Final = {"°C": 1.0, "mm": 1.0, "m/s": 1.0, "s": 1.0, "km/h": 1 / 3.6, "inch": 25.4}
"""What each is in ours; some mirrors do not heed `wind_speed_unit`."""


def daily_query(cells: Sequence[Cell], first: date, last: date) -> dict[str, str]:
    """Of cells that share a time zone: their days from `first` to `last`."""
    return _query(cells, first, last) | {"daily": ",".join(DAILY)}


def previous_query(cells: Sequence[Cell], first: date, last: date) -> dict[str, str]:
    """What was forecast of these days one to seven days before."""
    names = [f"{name}_previous_day{day}" for day in PREVIOUS_DAYS for name in HOURLY]
    return _query(cells, first, last) | {"hourly": ",".join(names)}


def _query(cells: Sequence[Cell], first: date, last: date) -> dict[str, str]:
    return {
        "latitude": ",".join(f"{cell.latitude:.1f}" for cell in cells),
        "longitude": ",".join(f"{cell.longitude:.1f}" for cell in cells),
        "start_date": first.isoformat(),
        "end_date": last.isoformat(),
        "timezone": cells[0].zone.key,
        "wind_speed_unit": "ms",
    }


def answers_of(answer: Json, cells: Sequence[Cell]) -> list[dict[str, Json]]:
    """The answer of each cell, in order."""
    listed = as_list(answer, "the answer") if len(cells) > 1 else [answer]
    if len(listed) != len(cells):
        raise SourceFault(
            "malformed_answer", f"{len(listed)} answers came for {len(cells)} pairs of coordinates"
        )
    found = [as_object(each, "the answer") for each in listed]
    for each in found:
        if each.get("error"):
            raise SourceFault("refused", f"the supplier refused: {each.get('reason')!s:.300}")
    return found


def read_daily(answer: Mapping[str, Json], first: date, last: date) -> DaysRead:
    """The days of one cell. A variable that the supplier does not have is left out."""
    daily = as_object(answer.get("daily"), "daily")
    units = answer.get("daily_units")
    times = as_list(daily.get("time"), "daily.time")
    days = [as_day(time, f"daily.time[{at}]", first, last) for at, time in enumerate(times)]
    found = {
        ours: read_floats(
            daily[theirs],
            f"daily.{theirs}",
            len(days),
            *_range(ours, factor := _unit(units, theirs)),
        )
        * factor
        for theirs, ours in DAILY.items()
        if theirs in daily
    }
    if not found:
        raise SourceFault("malformed_answer", f"daily has none of {', '.join(DAILY)}")
    return DaysRead(require_in_order(days, "daily.time"), found)


def read_previous(answer: Mapping[str, Json], first: date, last: date) -> dict[int, DaysRead]:
    """By how many days before: what was foreseen of the days then. A day with too few of its
    hours is unknown."""
    hourly = as_object(answer.get("hourly"), "hourly")
    units = answer.get("hourly_units")
    times = as_list(hourly.get("time"), "hourly.time")
    days = [_day_of_hour(time, at, first, last) for at, time in enumerate(times)]
    found: dict[int, DaysRead] = {}
    for lead in PREVIOUS_DAYS:
        values = {
            name: _hours(hourly, units, f"{name}_previous_day{lead}", len(days), _OF_DAY[name])
            for name in HOURLY
            if f"{name}_previous_day{lead}" in hourly
        }
        found[lead] = _by_day(days, values)
    return found


_OF_DAY: Final = {
    "temperature_2m": "temp_mean",
    "precipitation": "precipitation",
    "wind_speed_10m": "wind",
}


def _hours(hourly: Mapping[str, Json], units: Json, name: str, hours: int, like: str) -> Floats:
    factor = _unit(units, name)
    return read_floats(hourly[name], f"hourly.{name}", hours, *_range(like, factor)) * factor


def _day_of_hour(time: Json, at: int, first: date, last: date) -> date:
    if not isinstance(time, str) or len(time) != 16 or time[10] != "T":
        raise wrong(f"hourly.time[{at}]", time, "a local time YYYY-MM-DDTHH:MM")
    # A clock that is set back or forward may leave an hour at either edge.
    return as_day(time[:10], f"hourly.time[{at}]", first - timedelta(1), last + timedelta(1))


def _by_day(hours: Sequence[date], values: Mapping[str, Floats]) -> DaysRead:
    days = sorted(set(hours))
    if list(hours) != sorted(hours):
        raise SourceFault("days_out_of_order", "hourly.time: the earlier hour comes first")
    at = np.searchsorted(
        np.array([day.toordinal() for day in days]), [h.toordinal() for h in hours]
    )
    found: dict[str, Floats] = {}
    for name, hourly in values.items():
        parts = [hourly[at == day] for day in range(len(days))]
        known = [part[~np.isnan(part)] for part in parts]
        told = [part if len(part) >= FEWEST_HOURS else np.array([np.nan]) for part in known]
        if name == "temperature_2m":
            found["temp_mean"] = np.array([part.mean() for part in told])
            found["temp_min"] = np.array([part.min() for part in told])
            found["temp_max"] = np.array([part.max() for part in told])
        else:
            of_day = np.sum if name == "precipitation" else np.max
            found[_OF_DAY[name]] = np.array([of_day(part) for part in told])
    return DaysRead(days, found)


def _unit(units: Json, name: str) -> float:
    told = units.get(name) if isinstance(units, dict) else None
    if told is None:
        return 1.0
    if not isinstance(told, str) or told not in UNITS:
        raise SourceFault("unexpected_unit", f"{name} is in {told!r:.20}: ask for SI units")
    return UNITS[told]


def _range(name: str, factor: float) -> tuple[float, float]:
    least, most = RANGES[name]
    return least / factor, most / factor
