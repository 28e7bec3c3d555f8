"""A breaker by brute force: it keeps everything that ever happened and counts it anew each time."""

from dataclasses import dataclass, field
from typing import Literal

from shared.breaker import BreakerTerms, Outcome, State


@dataclass(frozen=True)
class Ended:
    at: float
    failed: bool
    slow: bool


@dataclass
class Call:
    era: int
    admitted_at: float
    outcome: Outcome | None = None
    failed: bool = False


@dataclass
class Oracle:
    """An era is a stretch of time in one state; a reset begins one as well."""

    terms: BreakerTerms
    era: int = 0
    state: State = State.CLOSED
    since: float = 1000.0
    opened_count: int = 0
    calls: list[Call] = field(default_factory=list)
    ended: list[Ended] = field(default_factory=list)

    def ask(self, now: float) -> Call | None:
        """A call, where one may be made."""
        if self.state is State.OPEN and now - self.since >= self.terms.open_seconds:
            self._begin(State.HALF_OPEN, now)
        in_the_way = [one for one in self._of_era() if one.outcome is not Outcome.IGNORED]
        full = self.state is State.HALF_OPEN and len(in_the_way) >= self.terms.probes
        if self.state is State.OPEN or full:
            return None
        self.calls.append(Call(self.era, now))
        return self.calls[-1]

    def end(self, call: Call, outcome: Outcome, now: float) -> None:
        call.outcome = outcome
        if call.era != self.era or outcome is Outcome.IGNORED:
            return
        slow = now - call.admitted_at >= self.terms.slow_seconds
        failed = outcome is Outcome.FAILED
        self.ended.append(Ended(now, failed, slow))
        if self.state is State.HALF_OPEN:
            self._judge_probe(call, failed or slow, now)
        elif self._in_a_row() >= self.terms.failures or self._has_bad_rate(now):
            self._begin(State.OPEN, now)

    def reset(self, now: float) -> None:
        self._begin(State.CLOSED, now)

    def rates(self, now: float) -> tuple[int, float, float]:
        latest = [
            one
            for one in self.ended[-self.terms.window_calls :]
            if now - one.at <= self.terms.window_seconds
        ]
        if not latest:
            return 0, 0.0, 0.0
        failed = sum(one.failed for one in latest)
        slow = sum(one.slow for one in latest)
        return len(latest), failed / len(latest), slow / len(latest)

    def _judge_probe(self, call: Call, failed: bool, now: float) -> None:
        call.failed = failed
        succeeded = [
            one
            for one in self._of_era()
            if one.outcome in {Outcome.SUCCEEDED, Outcome.FAILED} and not one.failed
        ]
        if failed:
            self._begin(State.OPEN, now)
        elif len(succeeded) >= self.terms.probes:
            self._begin(State.CLOSED, now)

    def _of_era(self) -> list[Call]:
        return [call for call in self.calls if call.era == self.era]

    def _in_a_row(self) -> int:
        number = 0
        for one in reversed(self.ended):
            if not one.failed:
                break
            number += 1
        return number

    def _has_bad_rate(self, now: float) -> bool:
        calls, failure_rate, slow_rate = self.rates(now)
        return calls >= self.terms.least_calls and (
            failure_rate >= self.terms.failure_rate or slow_rate >= self.terms.slow_rate
        )

    def _begin(self, state: Literal[State.CLOSED, State.OPEN, State.HALF_OPEN], now: float) -> None:
        self.era += 1
        if state is not self.state:
            self.since = now
            self.opened_count += state is State.OPEN
        self.state = state
        if state is State.CLOSED:
            self.ended.clear()
