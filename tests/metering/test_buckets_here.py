"""Buckets of one process, by a clock that is told the time."""

from hypothesis import given
from hypothesis import strategies as st

from services.training.metering.buckets_here import BucketsHere


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@given(st.lists(st.tuples(st.floats(0, 20), st.sampled_from("ab")), max_size=200))
def test_never_more_than_a_bucket_and_what_flowed_into_it(steps: list[tuple[float, str]]) -> None:
    clock = Clock()
    buckets: BucketsHere[str] = BucketsHere(10, clock)
    passed: dict[str, list[float]] = {"a": [], "b": []}
    for seconds, name in steps:
        clock.now += seconds
        if buckets.take(name, 6).taken:
            passed[name].append(clock.now)
    for times in passed.values():
        for index, first in enumerate(times):
            for many, last in enumerate(times[index:], 1):
                assert many <= 6 + (last - first) * 6 / 60 + 1e-6


def test_looking_takes_nothing() -> None:
    buckets: BucketsHere[str] = BucketsHere(10, Clock())
    assert all(buckets.look("a", 2).taken for _ in range(10))
    assert [buckets.take("a", 2).taken for _ in range(3)] == [True, True, False]
    assert not buckets.look("a", 2).taken


def test_it_does_not_grow_without_end() -> None:
    buckets: BucketsHere[int] = BucketsHere(10, Clock())
    for name in range(1000):
        buckets.take(name, 1)
    assert len(buckets._levels) == 10
