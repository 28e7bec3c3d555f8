"""Which failures may pass by themselves, and how long to wait for that."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import Random
from typing import Final

from shared.breaker import Outcome
from shared.upstream.errors import (
    UpstreamBusy,
    UpstreamError,
    UpstreamForbidden,
    UpstreamRedirect,
    UpstreamStatus,
    UpstreamTimeout,
    UpstreamUnreachable,
)

MOST_ATTEMPTS: Final = 3
PASSING: Final = frozenset({408, 429, 500, 502, 503, 504})
OUR_FAULT: Final = range(400, 500)
LATER: Final = frozenset({408, 429})
LONGEST_REQUEST: Final = 86_400.0


def may_pass(error: UpstreamError) -> bool:
    """Whether the same call might succeed a little later."""
    if isinstance(error, UpstreamStatus):
        return error.status in PASSING
    return isinstance(error, UpstreamTimeout | UpstreamUnreachable)


def outcome_of(error: UpstreamError) -> Outcome:
    """What it says about the upstream's health: nothing, where the fault is with the call."""
    match error:
        case UpstreamForbidden() | UpstreamRedirect() | UpstreamBusy():
            return Outcome.IGNORED
        case UpstreamStatus(status=status) if status in OUR_FAULT and status not in LATER:
            return Outcome.IGNORED
        case _:
            return Outcome.FAILED


def pause_before(attempt: int, most: float, retry_after: float | None, random: Random) -> float:
    """Seconds before the `attempt`th repetition, the first being 1, before which it is `most`.

    Full jitter (Brooker, "Exponential Backoff And Jitter"), and never less than was asked for.
    """
    return max(random.uniform(0, most * 2 ** (attempt - 1)), retry_after or 0.0)


def seconds_asked_for(retry_after: str | None, now: datetime) -> float | None:
    """A `Retry-After` header in seconds, which is given so or as an HTTP date (RFC 9110, 10.2.3).

    None where there is none that can be read. At most a day.
    """
    if retry_after is None:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:10]), LONGEST_REQUEST)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return min(max((at - now).total_seconds(), 0.0), LONGEST_REQUEST)
