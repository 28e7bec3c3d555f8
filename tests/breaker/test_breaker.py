"""What a breaker promises, one promise a test."""

import asyncio
from collections import Counter
from uuid import uuid4

import pytest

from shared.breaker import Breaker, BreakerOpen, Breakers, BreakerTerms, Outcome, State
from shared.breaker.breakers import MOST
from tests.breaker.fake_clock import FakeClock

TERMS = BreakerTerms(failures=3, open_seconds=30)


def told(breaker: Breaker, *outcomes: Outcome) -> None:
    for outcome in outcomes:
        breaker.settle(breaker.admit(), outcome, "broken")


def opened(terms: BreakerTerms = TERMS) -> tuple[Breaker, FakeClock]:
    clock = FakeClock()
    breaker = Breaker("weather:here", terms, clock)
    told(breaker, *[Outcome.FAILED] * terms.failures)
    assert breaker.state is State.OPEN
    return breaker, clock


def test_it_opens_on_failures_in_a_row_and_says_for_how_long() -> None:
    breaker, clock = opened()
    clock.advance(12)
    with pytest.raises(BreakerOpen) as refused:
        breaker.admit()
    assert refused.value.retry_after == 18
    assert refused.value.last_error == "broken"


def test_one_success_begins_the_count_anew() -> None:
    breaker = Breaker("weather:here", TERMS, FakeClock())
    told(breaker, Outcome.FAILED, Outcome.FAILED, Outcome.SUCCEEDED, Outcome.FAILED, Outcome.FAILED)
    assert breaker.state is State.CLOSED


def test_what_is_ignored_neither_counts_nor_ends_a_row() -> None:
    breaker = Breaker("weather:here", TERMS, FakeClock())
    told(breaker, Outcome.FAILED, Outcome.IGNORED, Outcome.FAILED, *[Outcome.IGNORED] * 50)
    assert breaker.state is State.CLOSED
    told(breaker, Outcome.FAILED)
    assert breaker.state is State.OPEN


@pytest.mark.parametrize("probes", [1, 3])
async def test_of_a_hundred_callers_at_half_open_exactly_the_probes_are_let_in(probes: int) -> None:
    breaker, clock = opened(BreakerTerms(failures=3, open_seconds=30, probes=probes))
    clock.advance(30)
    arrived, answered = asyncio.Barrier(100), asyncio.Event()
    inside: Counter[str] = Counter()

    async def call() -> None:
        await arrived.wait()
        try:
            permit = breaker.admit()
        except BreakerOpen:
            inside["refused"] += 1
            return
        inside["probing"] += 1
        await answered.wait()
        breaker.settle(permit, Outcome.SUCCEEDED)

    async with asyncio.TaskGroup() as callers:
        for _ in range(100):
            callers.create_task(call())
        while sum(inside.values()) < 100:
            await asyncio.sleep(0)
        assert inside == {"probing": probes, "refused": 100 - probes}
        assert breaker.state is State.HALF_OPEN
        answered.set()
    assert breaker.state is State.CLOSED


async def test_a_cancelled_probe_gives_its_place_to_the_next() -> None:
    breaker, clock = opened()
    clock.advance(30)
    probe = breaker.admit()
    with pytest.raises(BreakerOpen):
        breaker.admit()
    breaker.settle(probe, Outcome.IGNORED)
    assert breaker.state is State.HALF_OPEN
    told(breaker, Outcome.SUCCEEDED)
    assert breaker.state is State.CLOSED


def test_a_failed_probe_opens_it_for_as_long_again() -> None:
    breaker, clock = opened()
    clock.advance(31)
    told(breaker, Outcome.FAILED)
    assert breaker.state is State.OPEN
    assert breaker.opened_count == 2
    clock.advance(29)
    with pytest.raises(BreakerOpen):
        breaker.admit()


def test_a_probe_that_succeeds_slowly_has_failed() -> None:
    breaker, clock = opened()
    clock.advance(30)
    probe = breaker.admit()
    clock.advance(TERMS.slow_seconds)
    breaker.settle(probe, Outcome.SUCCEEDED)
    assert breaker.state is State.OPEN


def test_calls_from_before_it_opened_say_nothing_of_the_probes() -> None:
    clock = FakeClock()
    breaker = Breaker("weather:here", TERMS, clock)
    old = [breaker.admit() for _ in range(9)]
    told(breaker, *[Outcome.FAILED] * 3)
    clock.advance(30)
    probe = breaker.admit()
    for permit, outcome in zip(old, [*Outcome] * 3, strict=True):
        breaker.settle(permit, outcome)
    assert breaker.state is State.HALF_OPEN
    with pytest.raises(BreakerOpen):
        breaker.admit()
    breaker.settle(probe, Outcome.SUCCEEDED)
    assert breaker.state is State.CLOSED


def test_it_opens_on_a_rate_of_failures_that_never_come_in_a_row() -> None:
    breaker = Breaker("sales:x", BreakerTerms(failures=5, open_seconds=60), FakeClock())
    told(breaker, *[Outcome.FAILED, Outcome.SUCCEEDED] * 5)
    assert breaker.state is State.OPEN


def test_it_opens_on_calls_that_succeed_too_slowly() -> None:
    clock = FakeClock()
    breaker = Breaker("sales:x", TERMS, clock)
    for _ in range(TERMS.least_calls):
        permit = breaker.admit()
        clock.advance(TERMS.slow_seconds)
        breaker.settle(permit, Outcome.SUCCEEDED)
    assert breaker.state is State.OPEN


def test_a_reset_closes_it_and_forgets() -> None:
    breaker, _ = opened()
    breaker.reset()
    assert breaker.state is State.CLOSED
    assert breaker.window.calls == 0
    told(breaker, Outcome.FAILED, Outcome.FAILED)
    assert breaker.state is State.CLOSED


def all_breakers() -> Breakers:
    return Breakers({"weather": TERMS, "sales": BreakerTerms(5, 60, owned=True)}, FakeClock())


def test_a_name_means_another_breaker_to_each_owner() -> None:
    breakers, ours, theirs = all_breakers(), uuid4(), uuid4()
    told(breakers.of("weather:a:80", ours, "a:80"), *[Outcome.FAILED] * 3)
    assert breakers.of("weather:a:80", ours, "a:80").state is State.OPEN
    assert breakers.of("weather:a:80", theirs, "a:80").state is State.CLOSED
    assert breakers.of("weather:a:80", None, "a:80").state is State.CLOSED


def test_an_upstream_that_moved_is_not_judged_by_where_it_was() -> None:
    breakers, owner = all_breakers(), uuid4()
    told(breakers.of("sales:x", owner, "old:443"), *[Outcome.FAILED] * 5)
    assert breakers.of("sales:x", owner, "new:443").state is State.CLOSED


def test_a_breaker_of_somebodys_is_not_made_for_everybody() -> None:
    with pytest.raises(ValueError, match="owner"):
        all_breakers().of("sales:x", None, "a:80")
    with pytest.raises(ValueError, match="weather, sales"):
        all_breakers().of("tides:x", None, "a:80")


def test_changes_are_told_and_reports_say_what_is() -> None:
    breakers, changes = all_breakers(), Counter[str]()
    breakers.on_change = lambda: changes.update(["changed"])
    told(breakers.of("weather:a:80", None, "a:80"), *[Outcome.FAILED] * 3)
    [report] = breakers.reports()
    assert (report.state, report.calls, report.failure_rate) == (State.OPEN, 3, 1.0)
    assert (report.opened_count, report.last_error) == (1, "broken")
    assert breakers.reset("weather:a:80") == 1
    assert changes["changed"] == 2


def test_of_too_many_the_least_recently_used_is_forgotten() -> None:
    breakers = all_breakers()
    for number in range(MOST):
        breakers.of(f"weather:{number}", None, "a:80")
    breakers.of("weather:0", None, "a:80")
    breakers.of("weather:one-more", None, "a:80")
    kept = {report.name for report in breakers.reports()}
    assert len(kept) == MOST
    assert {"weather:0", "weather:one-more"} <= kept
    assert "weather:1" not in kept
