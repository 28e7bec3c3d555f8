"""One upstream's breaker.

Its states, the count of consecutive failures and that of successful probes are `pybreaker`'s
(`CircuitBreaker` over `CircuitMemoryStorage`), which is told of each ended call by a `call` that
returns or raises at once. What `pybreaker` has no way to do is done here:

- It runs what it guards inside a synchronous `call`: of a coroutine it sees only that one was
  made. So a call is admitted before, awaited outside, and settled after.
- Half-open, it lets every waiting caller through. Here exactly `probes` are in, and one that is
  cancelled gives its place back.
- It counts only consecutive failures. Here also rates over a window, of failures and of slow calls.
- It takes a cancellation for a failure, and what is excluded for a success. Here either is
  `IGNORED`: as if it had not been called.
- It asks the wall clock, which jumps. Here the clock is an argument, and only differences count.
- A call that was admitted before the state changed would settle as one of the new state. Here it
  says nothing any more.

Nothing here waits or asks anybody: no two calls can be in here at once, and an open breaker
answers at once.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Final, NoReturn

import pybreaker
import structlog

from shared.breaker.report import State
from shared.breaker.telemetry import CHANGES
from shared.breaker.terms import BreakerTerms
from shared.breaker.window import Window

Clock = Callable[[], float]
STATES: Final = {
    pybreaker.STATE_CLOSED: State.CLOSED,
    pybreaker.STATE_OPEN: State.OPEN,
    pybreaker.STATE_HALF_OPEN: State.HALF_OPEN,
}

log = structlog.get_logger()


class Outcome(Enum):
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    IGNORED = "ignored"
    """Cancelled, or answered in a way that says nothing about the upstream's health."""


class BreakerOpen(Exception):
    """Not admitted. `retry_after`: seconds until probes are let in; 0 where they are in already."""

    def __init__(self, name: str, retry_after: float, last_error: str | None) -> None:
        self.retry_after = retry_after
        self.last_error = last_error
        super().__init__(f"the circuit breaker {name} is open for {retry_after:.0f} s more")


@dataclass(frozen=True, slots=True)
class Permit:
    """For one call, to be settled exactly once."""

    turn: int
    admitted_at: float


class _Failed(Exception):
    """What an ended call is told to `pybreaker` as."""


class Breaker:
    """Closed until told of too many failures. Times are of `clock`, in seconds."""

    def __init__(
        self,
        name: str,
        terms: BreakerTerms,
        clock: Clock,
        on_change: Callable[[], object] = lambda: None,
    ) -> None:
        self.name = name
        self.terms = terms
        self.opened_count = 0
        self.last_error: str | None = None
        self.changed_at = clock()
        self._window = Window(terms)
        self._clock = clock
        self._on_change = on_change
        self._turn = 0
        self._free_probes = 0
        self._states = pybreaker.CircuitBreaker(
            fail_max=terms.failures,
            success_threshold=terms.probes,
            listeners=[_Changes(self._has_changed)],
            name=name,
            throw_new_error_on_trip=False,
        )

    @property
    def state(self) -> State:
        return STATES[self._states.current_state]

    @property
    def window(self) -> Window:
        """The calls that still count now."""
        self._window.forget(self._clock())
        return self._window

    @property
    def outlook(self) -> tuple[State, float]:
        """What awaits the next call, and since when: what is open only until somebody comes is
        half-open already."""
        probing_from = self.changed_at + self.terms.open_seconds
        if self.state is State.OPEN and probing_from <= self._clock():
            return State.HALF_OPEN, probing_from
        return self.state, self.changed_at

    @property
    def refuses(self) -> bool:
        """Whether a call would not be admitted now."""
        if self.state is State.OPEN:
            return self._clock() < self.changed_at + self.terms.open_seconds
        return self.state is State.HALF_OPEN and self._free_probes == 0

    def admit(self) -> Permit:
        """Leave to make one call now; `BreakerOpen` where there is none."""
        now = self._clock()
        if self.refuses:
            left = self.changed_at + self.terms.open_seconds - now
            raise BreakerOpen(self.name, max(0.0, left), self.last_error)
        if self.state is State.OPEN:
            self._states.half_open()
        if self.state is State.HALF_OPEN:
            self._free_probes -= 1
        return Permit(self._turn, now)

    def settle(self, permit: Permit, outcome: Outcome, error: str | None = None) -> None:
        """How the call ended that `permit` was given for."""
        if permit.turn != self._turn:
            return
        if outcome is Outcome.IGNORED:
            self._free_probes += self.state is State.HALF_OPEN
            return
        now = self._clock()
        failed = outcome is Outcome.FAILED
        slow = now - permit.admitted_at >= self.terms.slow_seconds
        if failed:
            self.last_error = error
        self._window.add(now, failed=failed, slow=slow)
        self._tell(failed or (slow and self.state is State.HALF_OPEN))
        if self.state is State.CLOSED and self._window.is_bad:
            self._states.open()

    def reset(self) -> None:
        """Close, and forget what was counted."""
        self._states.close()

    def _tell(self, failed: bool) -> None:
        with suppress(_Failed):
            self._states.call(_fail if failed else _succeed)

    def _has_changed(self, was: State, now: State) -> None:
        self._turn += 1
        self.changed_at = self._clock() if was is not now else self.changed_at
        if now is State.HALF_OPEN:
            self._free_probes = self.terms.probes
        if now is State.CLOSED:
            self._window.clear()
        if was is now:
            return
        self.opened_count += now is State.OPEN
        CHANGES.labels(self.name.partition(":")[0], now.value).inc()
        if now is State.OPEN:
            log.warning("breaker_opened", breaker=self.name, was=was, error=self.last_error)
        else:
            log.info("breaker_changed", breaker=self.name, was=was, now=now)
        self._on_change()


class _Changes(pybreaker.CircuitBreakerListener):
    def __init__(self, tell: Callable[[State, State], None]) -> None:
        self._tell = tell

    def state_change(
        self,
        cb: pybreaker.CircuitBreaker,
        old_state: pybreaker.CircuitBreakerState | None,
        new_state: pybreaker.CircuitBreakerState,
    ) -> None:
        assert old_state is not None
        self._tell(STATES[old_state.name], STATES[new_state.name])


def _fail() -> NoReturn:
    raise _Failed


def _succeed() -> None:
    return None
