"""Values as callers have them, and as the wire takes them."""

import datetime as dt
from collections.abc import Mapping
from enum import Enum
from typing import Final
from uuid import UUID

Id = str | UUID
Day = str | dt.date
"""`YYYY-MM-DD`, or a date."""
Moment = str | dt.datetime
"""RFC 3339 with its offset, or a datetime that knows its time zone."""
Scalar = str | int | float | bool


class Keep(Enum):
    """Left out, where None says something of its own."""

    KEEP = "keep"


KEEP: Final = Keep.KEEP


def day_text(day: Day | None) -> str | None:
    """ValueError for a datetime: which day it is depends on where."""
    if isinstance(day, dt.datetime):
        raise ValueError(f"{day!r} is an instant: give a date, such as {day.date()!r}")
    return day.isoformat() if isinstance(day, dt.date) else day


def moment_text(moment: Moment | None) -> str | None:
    """ValueError for a datetime without a time zone."""
    if isinstance(moment, dt.datetime):
        if moment.tzinfo is None:
            raise ValueError(f"{moment!r} has no time zone: give one, such as datetime.UTC")
        return moment.isoformat()
    return moment


def given(**fields: object) -> dict[str, object]:
    """Those that are not None: the service knows the others' defaults."""
    return {name: value for name, value in fields.items() if value is not None}


def kept(**fields: object) -> dict[str, object]:
    """Those that are not KEEP."""
    return {name: value for name, value in fields.items() if value is not KEEP}


def query_text(query: Mapping[str, Scalar | None]) -> dict[str, str]:
    """As a query has them; what is None is left out."""
    return {name: _text(value) for name, value in query.items() if value is not None}


def _text(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
