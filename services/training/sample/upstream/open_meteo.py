"""The sample weather as Open-Meteo answers: its parameters, its shapes, its refusals."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.training.sample.upstream.skies import LONGEST_LEAD, Skies

Body = dict[str, object]

ARCHIVE_DELAY: Final = timedelta(days=5)
FORECAST_PAST: Final = timedelta(days=92)
PREVIOUS_DAYS: Final = 7
UNITS: Final = {
    "temperature_2m_mean": "°C",
    "temperature_2m_min": "°C",
    "temperature_2m_max": "°C",
    "precipitation_sum": "mm",
    "wind_speed_10m_max": "m/s",
    "sunshine_duration": "s",
}
OURS: Final = {
    "temperature_2m_mean": "temp_mean",
    "temperature_2m_min": "temp_min",
    "temperature_2m_max": "temp_max",
    "precipitation_sum": "precipitation",
    "wind_speed_10m_max": "wind",
    "sunshine_duration": "sunshine",
}
HOURLY: Final = {
    "temperature_2m": ("temp_mean", "°C"),
    "precipitation": ("precipitation", "mm"),
    "wind_speed_10m": ("wind", "m/s"),
}


class Refused(Exception):
    """What is answered with 400; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A request: as many places as there are pairs of coordinates."""

    places: tuple[tuple[float, float], ...]
    zone: ZoneInfo
    first: date
    last: date
    daily: tuple[str, ...]
    hourly: tuple[str, ...]


def read_wanted(query: Mapping[str, str]) -> Wanted:
    """Raises `Refused` with the reason that Open-Meteo gives."""
    try:
        latitudes = [float(each) for each in query["latitude"].split(",")]
        longitudes = [float(each) for each in query["longitude"].split(",")]
        first, last = (date.fromisoformat(query[name]) for name in ("start_date", "end_date"))
        zone = ZoneInfo(query.get("timezone", "GMT"))
    except (ValueError, ZoneInfoNotFoundError) as error:
        raise Refused(f"Invalid value: {error}") from None
    except KeyError as missing:
        raise Refused(f"Value of type 'String' required for key '{missing.args[0]}'.") from None
    daily, hourly = (
        tuple(name for name in query.get(part, "").split(",") if name)
        for part in ("daily", "hourly")
    )
    if len(latitudes) != len(longitudes):
        raise Refused("Parameter 'latitude' and 'longitude' must have the same number of elements")
    if not all(-90 <= latitude <= 90 for latitude in latitudes):
        raise Refused("Latitude must be in range of -90 to 90°.")
    if daily and "timezone" not in query:
        raise Refused("Timezone is required")
    if last < first:
        raise Refused("End-date must be larger or equals than start-date")
    return Wanted(tuple(zip(latitudes, longitudes, strict=True)), zone, first, last, daily, hourly)


def archive(skies: Skies, query: Mapping[str, str], now: datetime) -> object:
    """What came; null where the archive is not yet so far."""
    wanted = read_wanted(query)
    today = now.astimezone(wanted.zone).date()
    if wanted.last > today:
        raise Refused(f"Parameter 'end_date' is out of allowed range from 1940-01-01 to {today}")

    def of_day(day: date) -> dict[str, float]:
        return skies.as_came(day) if day <= today - ARCHIVE_DELAY else {}

    return _answer(wanted, lambda: _daily(wanted, of_day))


def forecast(skies: Skies, query: Mapping[str, str], now: datetime) -> object:
    """What came lately and what is foreseen, by day; or by the hour what was foreseen before."""
    wanted = read_wanted(query)
    today = now.astimezone(wanted.zone).date()
    earliest, latest = today - FORECAST_PAST, today + timedelta(days=LONGEST_LEAD - 1)
    if wanted.daily and not (earliest <= wanted.first and wanted.last <= latest):
        raise Refused(f"Parameter 'start_date' is out of allowed range from {earliest} to {latest}")

    def of_day(day: date) -> dict[str, float]:
        lead = (day - today).days + 1
        return skies.as_foreseen(day, lead) if lead >= 1 else skies.as_came(day)

    if wanted.hourly:
        return _answer(wanted, lambda: _hourly(wanted, skies, today))
    return _answer(wanted, lambda: _daily(wanted, of_day))


def _answer(wanted: Wanted, of_place: Callable[[], Body]) -> object:
    """One object for one place, a list of them for several."""
    found: list[Body] = [
        {
            "latitude": latitude,
            "longitude": longitude,
            "generationtime_ms": 0.1,
            "utc_offset_seconds": 0,
            "timezone": wanted.zone.key,
            "timezone_abbreviation": wanted.zone.key,
            "elevation": 38.0,
            **({"location_id": at} if at else {}),
            **of_place(),
        }
        for at, (latitude, longitude) in enumerate(wanted.places)
    ]
    return found[0] if len(found) == 1 else found


def _daily(wanted: Wanted, of_day: Callable[[date], dict[str, float]]) -> Body:
    days = _days(wanted)
    found = [of_day(day) for day in days]
    unknown = [name for name in wanted.daily if name not in OURS]
    if unknown:
        raise Refused(f"Cannot initialize from invalid String value {unknown[0]}")
    values = {name: [each.get(OURS[name]) for each in found] for name in wanted.daily}
    return {
        "daily_units": {"time": "iso8601", **{name: UNITS[name] for name in wanted.daily}},
        "daily": {"time": [day.isoformat() for day in days], **values},
    }


def _hourly(wanted: Wanted, skies: Skies, today: date) -> Body:
    days = _days(wanted)
    times = [f"{day}T{hour:02d}:00" for day in days for hour in range(24)]
    units, values = {"time": "iso8601"}, {"time": times}
    body: dict[str, list[object]] = {}
    for name in wanted.hourly:
        plain, _, before = name.partition("_previous_day")
        if plain not in HOURLY or not before.isdecimal() or int(before) > PREVIOUS_DAYS:
            raise Refused(f"Cannot initialize from invalid String value {name}")
        ours, units[name] = HOURLY[plain]
        share = 24 if plain == "precipitation" else 1
        body[name] = []
        for day in days:
            told = skies.as_foreseen(day, int(before)) if day <= today else {}
            value = None if not told else round(told[ours] / share, 4)
            body[name] += [value] * 24
    return {"hourly_units": units, "hourly": {**values, **body}}


def _days(wanted: Wanted) -> list[date]:
    return [wanted.first + timedelta(days=n) for n in range((wanted.last - wanted.first).days + 1)]
