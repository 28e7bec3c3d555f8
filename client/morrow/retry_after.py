"""`Retry-After`, in either of its forms (RFC 9110, 10.2.3)."""

import datetime as dt
import math
from email.utils import parsedate_to_datetime


def seconds_of(field: str | None, now: dt.datetime | None = None) -> float | None:
    """How long to wait; None where nothing is said, or nothing that can be understood."""
    if field is None:
        return None
    try:
        seconds = float(field)
    except ValueError:
        return _until(field, now or dt.datetime.now(dt.UTC))
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _until(field: str, now: dt.datetime) -> float | None:
    try:
        at = parsedate_to_datetime(field)
    except ValueError:
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or dt.UTC) - now).total_seconds())
