"""Numbers, flags, days and instants as JSON and queries may hold them: never one read as another.

Left alone, a parser would take `true` for 1, "7" for 7, and 0 for the first of January 1970.
"""

import datetime as dt
import re
from typing import Annotated, Final

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    Strict,
    StrictBool,
    StrictInt,
)
from pydantic_core import PydanticCustomError

DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
INSTANT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9:]{5,8}(\.[0-9]{1,9})?.*")


def _day(value: object) -> object:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    if not isinstance(value, str) or not DAY.fullmatch(value):
        raise PydanticCustomError("not_a_date", "this is no date YYYY-MM-DD")
    return value


def _instant(value: object) -> object:
    if isinstance(value, dt.datetime):
        return value
    if not isinstance(value, str) or not INSTANT.fullmatch(value):
        raise PydanticCustomError(
            "not_an_instant", "this is no instant with its offset: 2027-01-31T00:00:00Z"
        )
    return value


def _moment(value: object) -> object:
    if not isinstance(value, str) or not DAY.match(value):
        raise PydanticCustomError("not_a_moment", "this is neither a day nor an instant")
    return value


def _in_utc(value: dt.datetime) -> dt.datetime:
    try:
        return value.astimezone(dt.UTC)
    except OverflowError:
        raise PydanticCustomError(
            "out_of_range", "in UTC this instant is not within the years 1 to 9999"
        ) from None


Integer = StrictInt
Number = Annotated[float, Strict(), Field(allow_inf_nan=False)]
Flag = StrictBool
Day = Annotated[dt.date, BeforeValidator(_day)]
Moment = Annotated[dt.datetime, BeforeValidator(_moment)]
"""A day or an instant, with an offset or without."""
Instant = Annotated[AwareDatetime, AfterValidator(_in_utc), BeforeValidator(_instant)]
