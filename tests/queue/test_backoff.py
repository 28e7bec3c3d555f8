"""Waiting longer after each failure, never longer than the limit, never all at once."""

from datetime import timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from services.training.queue.backoff import FIRST_SECONDS, LONGEST_SECONDS, backoff


@given(st.integers(1, 100), st.integers())
def test_a_delay_is_positive_and_within_twice_that_of_the_attempt_before(
    attempt: int, seed: int
) -> None:
    delay = backoff(attempt, Random(seed))
    longest = min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** (attempt - 1))
    assert timedelta(0) < delay <= timedelta(seconds=longest)


def test_delays_are_spread_over_all_of_the_interval() -> None:
    random = Random(2026)
    seconds = [backoff(3, random).total_seconds() for _ in range(4000)]
    longest = 4 * FIRST_SECONDS
    counts = [sum(low <= 4 * s / longest < low + 1 for s in seconds) for low in range(4)]
    assert all(800 < count < 1200 for count in counts)
