"""Whatever happens in whatever order, the breaker is where counting by brute force says it is."""

from collections import Counter
from random import Random

import pytest

from shared.breaker import Breaker, BreakerOpen, BreakerTerms, Outcome, Permit, State
from tests.breaker.fake_clock import FakeClock
from tests.breaker.oracle import Call, Oracle

STEPS = 4_000
TERMS = {
    "as sales are": BreakerTerms(5, 60),
    "as weather is": BreakerTerms(3, 30),
    "several probes": BreakerTerms(3, 30, probes=4),
    "by rate alone": BreakerTerms(1000, 20, failure_rate=0.4, least_calls=5, window_calls=9),
    "by slowness": BreakerTerms(1000, 20, slow_rate=0.5, slow_seconds=2, least_calls=4, probes=2),
    "short window": BreakerTerms(4, 10, window_seconds=15, least_calls=3, slow_seconds=3),
}


class Walk:
    """The breaker and its oracle, told the same."""

    def __init__(self, terms: BreakerTerms, random: Random) -> None:
        self.clock = FakeClock()
        self.random = random
        self.breaker = Breaker("kind:walk", terms, self.clock)
        self.oracle = Oracle(terms)
        self.running: list[tuple[Permit, Call]] = []
        self.seen: Counter[State] = Counter()
        self.leaning = 0.5

    def step(self) -> None:
        if self.random.random() < 0.02:
            self.leaning = self.random.random()
        self.random.choices([self.ask, self.end, self.wait], weights=[5, 5, 3])[0]()
        if self.random.random() < 0.003:
            self.breaker.reset()
            self.oracle.reset(self.clock.now)
        self.compare()

    def ask(self) -> None:
        refuses = self.breaker.refuses
        try:
            permit = self.breaker.admit()
        except BreakerOpen:
            permit = None
        call = self.oracle.ask(self.clock.now)
        assert (permit is None) == (call is None) == refuses
        if permit is not None and call is not None:
            self.running.append((permit, call))

    def end(self) -> None:
        if self.running:
            permit, call = self.running.pop(self.random.randrange(len(self.running)))
            outcome = (
                Outcome.IGNORED
                if self.random.random() < 0.15
                else (Outcome.FAILED if self.random.random() < self.leaning else Outcome.SUCCEEDED)
            )
            self.breaker.settle(permit, outcome, "broken")
            self.oracle.end(call, outcome, self.clock.now)

    def wait(self) -> None:
        self.clock.advance(self.random.choice([0.125, 0.5, 1, 2, 5, 10, 60]))

    def compare(self) -> None:
        assert self.breaker.state is self.oracle.state
        assert self.breaker.changed_at == self.oracle.since
        assert self.breaker.opened_count == self.oracle.opened_count
        window = self.breaker.window
        told = (window.calls, window.failure_rate, window.slow_rate)
        assert told == self.oracle.rates(self.clock.now)
        self.seen[self.breaker.state] += 1


@pytest.mark.parametrize("name", TERMS)
def test_the_breaker_agrees_with_its_oracle(name: str) -> None:
    walk = Walk(TERMS[name], Random(name))
    for _ in range(STEPS):
        walk.step()
    assert min(walk.seen[state] for state in State) > STEPS / 100, walk.seen
    assert walk.breaker.opened_count > 10
