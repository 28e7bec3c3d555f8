"""JSON of strangers, read strictly: every surprise is a named fault that says where it is."""

import re
from datetime import UTC, date, datetime
from typing import Final

from pydantic import TypeAdapter, ValidationError

from services.training.sources.faults import SourceFault
from shared.text import Name
from shared.upstream.payload import Json

NAME: Final = TypeAdapter[str](Name)
DECIMAL: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?\Z")
EARLIEST: Final = datetime(1900, 1, 1, tzinfo=UTC)
LONGEST_CURSOR: Final = 4096


def wrong(where: str, value: object, wanted: str) -> SourceFault:
    return SourceFault("wrong_type", f"{where} is {value!r:.80}, not {wanted}")


def as_object(value: Json, where: str) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise wrong(where, value, "an object")
    return value


def as_list(value: Json, where: str) -> list[Json]:
    if not isinstance(value, list):
        raise wrong(where, value, "a list")
    return value


def as_name(value: Json, where: str) -> str:
    """Text that can name something: 1 to 200 characters, in one spelling."""
    try:
        return NAME.validate_python(value, strict=True)
    except ValidationError as error:
        raise wrong(where, value, f"a name ({error.errors()[0]['msg']})") from None


def as_number(value: Json, where: str, least: float, most: float) -> float | None:
    """A number between these, or None for null."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong(where, value, "a number")
    if not least <= value <= most:
        raise SourceFault(
            "value_out_of_range", f"{where} is {value!r:.40}, not between {least:g} and {most:g}"
        )
    return float(value)


def as_decimal(value: Json, where: str) -> float:
    """A number written as text, as tills do so that nothing is rounded."""
    if not isinstance(value, str) or not DECIMAL.match(value):
        raise wrong(where, value, 'a decimal number in quotes, such as "2.5"')
    return float(value)


def as_day(value: Json, where: str, first: date, last: date) -> date:
    """A date YYYY-MM-DD between these."""
    try:
        if not isinstance(value, str) or len(value) != 10:
            raise ValueError
        day = date.fromisoformat(value)
    except ValueError:
        raise wrong(where, value, "a date YYYY-MM-DD") from None
    if not first <= day <= last:
        raise SourceFault("date_out_of_range", f"{where} is {day}, not between {first} and {last}")
    return day


def as_instant(value: Json, where: str, latest: datetime) -> datetime:
    """An RFC 3339 instant with its offset, in UTC, no later than `latest`."""
    try:
        if not isinstance(value, str):
            raise ValueError
        instant = datetime.fromisoformat(value)
        if instant.tzinfo is None:
            raise ValueError
        instant = instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise wrong(where, value, "an RFC 3339 instant such as 2026-01-31T05:00:00Z") from None
    if not EARLIEST <= instant <= latest:
        raise SourceFault(
            "date_out_of_range",
            f"{where} is {instant.isoformat()}, not between 1900 and {latest.isoformat()}",
        )
    return instant


def as_cursor(value: Json, where: str) -> str | None:
    """Where the next page begins; None after the last."""
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > LONGEST_CURSOR:
        raise wrong(where, value, f"a cursor: text of at most {LONGEST_CURSOR} characters, or null")
    return value
