"""How long a migration waits for others, and how it stands back between its attempts."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds, and how often.

    A statement that waits for a table's lock makes all wait that come after it, readers too. So it
    waits for `lock_seconds`, then gives way, and the revision is tried again later, `attempts`
    times in all. What runs outside a transaction takes locks that stop no traffic, and waits for
    everybody's transactions to end: it may wait for `apart_seconds`. `turn_seconds` is how long
    another migration is waited for.
    """

    lock_seconds: float = 2.0
    statement_seconds: float = 60.0
    apart_seconds: float = 600.0
    attempts: int = 30
    first_pause: float = 0.5
    longest_pause: float = 10.0
    turn_seconds: float = 3600.0

    def pauses(self, random: Random) -> Iterator[float]:
        """Between the attempts: twice as long each time, up to the longest, and by up to half less,
        so that it falls in with no rhythm of those it waits for."""
        for number in range(self.attempts - 1):
            longest = min(self.longest_pause, self.first_pause * 2**number)
            yield random.uniform(longest / 2, longest)

    def limits(self, *, apart: bool = False) -> tuple[str, str]:
        """What is said to the server before a revision; `apart`: outside a transaction."""
        lock, statement = (
            (self.apart_seconds, 0.0) if apart else (self.lock_seconds, self.statement_seconds)
        )
        return (
            f"SET lock_timeout = '{lock * 1000:.0f}ms'",
            f"SET statement_timeout = '{statement * 1000:.0f}ms'",
        )
