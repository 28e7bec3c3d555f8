"""Where the time goes between the end of a fit in its child and the commit of what came of it."""

import time
from collections.abc import Callable
from typing import Final

from prometheus_client import Histogram

PUBLISH_SECONDS: Final = Histogram(
    "morrow_publish_seconds",
    "Seconds from the end of a fit to the commit of its model, by step",
    ["step"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5),
)


class Lag:
    """Counts from `since`, by a clock that all processes of the machine share."""

    def __init__(self, since: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = since
        self.steps: dict[str, float] = {}
        """Seconds by name, in their order."""

    def note(self, step: str) -> None:
        """The step has ended; what follows is the next."""
        now = self._clock()
        self.steps[step] = round(now - self._last, 6)
        self._last = now
        PUBLISH_SECONDS.labels(step).observe(self.steps[step])
