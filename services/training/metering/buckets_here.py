"""Buckets of this process alone: of addresses, and of tenants while the database is away."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from services.training.metering.bucket import Taken

K = TypeVar("K", bound=Hashable)


@dataclass(slots=True)
class _Level:
    tokens: float
    at: float


class BucketsHere(Generic[K]):
    """At most `most` buckets; the one that was longest unused is forgotten, and full again."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._levels: OrderedDict[K, _Level] = OrderedDict()

    def look(self, name: K, rate: float) -> Taken:
        """How the bucket stands, without taking."""
        remaining = self._refilled(name, rate).tokens
        return Taken(rate, remaining, remaining >= 1)

    def take(self, name: K, rate: float) -> Taken:
        """Take one of `rate` a minute, if there is one."""
        level = self._refilled(name, rate)
        taken = level.tokens >= 1
        level.tokens -= taken
        return Taken(rate, level.tokens, taken)

    def _refilled(self, name: K, rate: float) -> _Level:
        now = self._clock()
        level = self._levels.setdefault(name, _Level(rate, now))
        level.tokens = min(rate, level.tokens + (now - level.at) * rate / 60)
        level.at = now
        self._levels.move_to_end(name)
        while len(self._levels) > self._most:
            self._levels.popitem(last=False)
        return level
