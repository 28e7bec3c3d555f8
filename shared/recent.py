"""What was true a short while ago: bounded in number and in age."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """At most `most` values, the least recently noted leave first; none older than `seconds`."""

    def __init__(
        self, most: int, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._noted: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def note(self, key: K, value: V) -> None:
        """`value` is true now."""
        self._noted[key] = (self._clock(), value)
        self._noted.move_to_end(key)
        while len(self._noted) > self._most:
            self._noted.popitem(last=False)

    def forget(self, key: K) -> None:
        """It is no longer true."""
        self._noted.pop(key, None)

    def drop(self, unwanted: Callable[[V], bool]) -> None:
        """No value that is `unwanted` is true any longer."""
        for key in [key for key, (_, value) in self._noted.items() if unwanted(value)]:
            del self._noted[key]

    def __len__(self) -> int:
        return len(self._noted)

    def get(self, key: K) -> V | None:
        """What was noted within the last `seconds`."""
        found = self._noted.get(key)
        if found is None:
            return None
        noted_at, value = found
        return value if self._clock() - noted_at <= self._seconds else None
