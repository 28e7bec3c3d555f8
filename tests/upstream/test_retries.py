"""How long is waited, and how often there is a second chance."""

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.upstream.budget import RESERVE, RetryBudget
from shared.upstream.retries import pause_before, seconds_asked_for

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("0", 0),
        ("120", 120),
        (" 7 ", 7),
        ("9" * 400, 86_400),
        ("Sun, 01 Mar 2026 12:01:30 GMT", 90),
        ("Sun, 01 Mar 2026 13:01:30 +0100", 90),
        ("Sunday, 01-Mar-26 12:01:30 GMT", 90),
        ("Sun Mar  1 12:01:30 2026", 90),
        ("Sun, 01 Mar 2026 11:59:00 GMT", 0),
        ("Fri, 01 Mar 2999 12:00:00 GMT", 86_400),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("²", None),
        ("Sun, 99 Mar 2026 12:01:30 GMT", None),
        ("Sun, 01 Mar 0000 00:00:00 +2400", None),
    ],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert seconds_asked_for(header, NOW) == seconds


@given(st.integers(0, 86_400), st.integers(-12, 14))
def test_every_date_is_read_as_the_instant_it_is(seconds: int, zone: int) -> None:
    at = (NOW + timedelta(seconds=seconds)).astimezone(timezone(timedelta(hours=zone)))
    assert seconds_asked_for(format_datetime(at), NOW) == seconds


@settings(max_examples=50)
@given(st.text(max_size=60))
def test_no_header_breaks_it(header: str) -> None:
    seconds = seconds_asked_for(header, NOW)
    assert seconds is None or 0 <= seconds <= 86_400


def test_pauses_are_spread_over_all_of_their_length_and_no_shorter_than_asked() -> None:
    random = Random(7)
    for attempt, most in ((1, 0.5), (2, 1.0)):
        pauses = [pause_before(attempt, 0.5, None, random) for _ in range(2000)]
        assert max(pauses) <= most
        counts = [sum(k <= 10 * p / most < k + 1 for p in pauses) for k in range(10)]
        assert min(counts) > 120, counts
    assert pause_before(1, 0.5, 3.0, random) == 3.0


@given(st.lists(st.booleans(), max_size=600))
def test_at_most_a_tenth_is_repeated_or_the_reserve(asks: list[bool]) -> None:
    """`True`: a call; `False`: an attempt to repeat one."""
    budget, calls, repeated = RetryBudget(), 0, 0
    for is_call in asks:
        if is_call:
            budget.note_call()
            calls += 1
        elif budget.take():
            repeated += 1
        assert repeated <= max(RESERVE, calls / 10 + 1e-9)


def test_a_tenth_is_repeated_where_all_fail() -> None:
    budget, repeated = RetryBudget(), 0
    for _ in range(1000):
        budget.note_call()
        repeated += budget.take()
    assert repeated == 100


def test_what_was_saved_up_is_bounded() -> None:
    budget = RetryBudget()
    for _ in range(100_000):
        budget.note_call()
    assert sum(budget.take() for _ in range(100)) == 10
