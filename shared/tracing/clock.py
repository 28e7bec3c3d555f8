"""Instants of spans: by the wall's clock, as collectors want them, and in order, as only the
monotonic one has them."""

import time
from typing import Final

MOST_APART_NS: Final = 10_000_000


class Clock:
    """Instants of one process keep order and distance, unless the wall's clock was set."""

    def __init__(self) -> None:
        self._ahead = time.time_ns() - time.monotonic_ns()

    def now(self) -> int:
        return self.instant(time.monotonic())

    def instant(self, monotonic: float) -> int:
        """Nanoseconds since 1970, of an instant of `time.monotonic()`."""
        ahead = time.time_ns() - time.monotonic_ns()
        if abs(ahead - self._ahead) > MOST_APART_NS:
            self._ahead = ahead
        return self._ahead + round(monotonic * 1e9)
