"""The latest calls, and how many of them failed or were slow."""

from collections import deque

from shared.breaker.terms import BreakerTerms


class Window:
    """Bounded in number and in age."""

    def __init__(self, terms: BreakerTerms) -> None:
        self._terms = terms
        self._ended: deque[tuple[float, bool, bool]] = deque()
        self._failed = 0
        self._slow = 0

    def add(self, now: float, *, failed: bool, slow: bool) -> None:
        self._ended.append((now, failed, slow))
        self._failed += failed
        self._slow += slow
        self.forget(now)

    def forget(self, now: float) -> None:
        """Drop what is too old, or one too many."""
        oldest = now - self._terms.window_seconds
        ended = self._ended
        while ended and (len(ended) > self._terms.window_calls or ended[0][0] < oldest):
            _, failed, slow = ended.popleft()
            self._failed -= failed
            self._slow -= slow

    def clear(self) -> None:
        self._ended.clear()
        self._failed = self._slow = 0

    @property
    def calls(self) -> int:
        return len(self._ended)

    @property
    def failure_rate(self) -> float:
        """Of the calls in the window; 0 where there are none."""
        return self._failed / len(self._ended) if self._ended else 0.0

    @property
    def slow_rate(self) -> float:
        return self._slow / len(self._ended) if self._ended else 0.0

    @property
    def is_bad(self) -> bool:
        """Whether there are enough calls to tell, and too many of them failed or were slow."""
        terms = self._terms
        return self.calls >= terms.least_calls and (
            self.failure_rate >= terms.failure_rate or self.slow_rate >= terms.slow_rate
        )
