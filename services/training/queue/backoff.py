"""How long a failed task waits: twice as long each time, with full jitter."""

from datetime import timedelta
from random import Random

FIRST_SECONDS = 2.0
LONGEST_SECONDS = 300.0


def backoff(attempt: int, random: Random) -> timedelta:
    """The delay after failed attempt `attempt` (1-based), uniform in (0, 2^(attempt-1) * first]."""
    ceiling = min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** (attempt - 1))
    return timedelta(seconds=ceiling * (1 - random.random()))
