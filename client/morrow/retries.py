"""When a call is sent again, and after how long; nothing here waits or sends."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from morrow.call import Again
from morrow.errors import MorrowError, Refused, Unreachable

PASSING: Final = frozenset({429, 502, 503, 504})
UNTAKEN: Final = frozenset({429})
"""Refused before anything was done."""
KEY_IN_USE: Final = "idempotency_key_in_use"

Random = Callable[[], float]
"""From 0 to 1."""


@dataclass(frozen=True, slots=True)
class Retries:
    """At most `attempts` of a call; before each further one a pause of up to `first_pause` seconds,
    then up to twice as many each time but no more than `longest_pause`: full jitter. What
    `Retry-After` asks for comes before that; if it is over `longest_wait`, the call fails at once.
    """

    attempts: int = 5
    first_pause: float = 0.25
    longest_pause: float = 8.0
    longest_wait: float = 60.0

    def pause(self, attempt: int, error: MorrowError, again: Again, random: Random) -> float | None:
        """The seconds to wait after this attempt, the first being 1; None: it has failed."""
        if attempt >= self.attempts or not may_pass(error, again):
            return None
        asked = error.retry_after or 0.0
        return None if asked > self.longest_wait else asked + self.jitter(attempt, random)

    def jitter(self, attempt: int, random: Random) -> float:
        """Anything up to the attempt's own limit, so that those who failed together come apart."""
        limit: float = min(self.longest_pause, self.first_pause * 2 ** min(attempt - 1, 30))
        return limit * random()


def may_pass(error: MorrowError, again: Again) -> bool:
    """Whether the same call may succeed by and by, and may be sent again."""
    if isinstance(error, Unreachable):
        return again is not Again.NEVER or not error.taken
    if not isinstance(error, Refused):
        return False
    if again is Again.KEYED and error.code == KEY_IN_USE:
        return True
    return error.status in (UNTAKEN if again is Again.NEVER else PASSING)
