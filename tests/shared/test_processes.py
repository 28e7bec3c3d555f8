"""A supervised child, over real processes and a clock that the test holds."""

import io
import sys
import time
from collections.abc import Iterator

import pytest

from shared.processes.supervised import Program, RestartPolicy, SupervisedChild
from tests.process_life import PATIENCE_SECONDS

POLICY = RestartPolicy(first_delay=0.5, largest_delay=10, stable_after=30)


@pytest.fixture
def sink() -> io.BytesIO:
    return io.BytesIO()


@pytest.fixture
def failing(sink: io.BytesIO) -> Iterator[SupervisedChild]:
    """Says one line and ends with status 3."""
    command = (sys.executable, "-c", "print('one'); raise SystemExit(3)")
    child = SupervisedChild(Program("failing", command, {}), POLICY, sink)
    yield child
    child.kill(0.0)


def death(child: SupervisedChild, now: float) -> int:
    """The status it ends with, noted at the reading `now`."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (status := child.tend(now)) is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return status


def test_waits_double_up_to_the_largest() -> None:
    waits = [POLICY.delay(deaths) for deaths in range(1, 8)]
    assert waits == [0.5, 1, 2, 4, 8, 10, 10]
    assert POLICY.delay(5000) == 10


def test_it_is_started_again_when_the_wait_is_over_and_not_before(
    failing: SupervisedChild,
) -> None:
    failing.start(100.0)
    assert death(failing, 101.0) == 3
    failing.tend(101.4)
    assert failing.process is None
    failing.tend(101.5)
    assert failing.process is not None
    assert death(failing, 102.0) == 3
    failing.tend(102.9)
    assert failing.process is None
    failing.tend(103.0)
    assert failing.process is not None


def test_a_long_life_makes_the_wait_short_again(failing: SupervisedChild) -> None:
    now = 0.0
    failing.start(now)
    for _ in range(6):
        death(failing, now)
        now += 10
        failing.tend(now)
    death(failing, now + 30)
    failing.tend(now + 30.5)
    assert failing.process is not None
    assert failing.deaths == 7


def test_its_words_are_passed_on_and_the_last_are_kept(
    failing: SupervisedChild, sink: io.BytesIO
) -> None:
    failing.start(0.0)
    death(failing, 0.0)
    assert failing.last_lines() == "one"
    assert sink.getvalue() == b"one\n"


def test_asked_to_stop_it_is_not_started_again(failing: SupervisedChild) -> None:
    failing.start(0.0)
    death(failing, 0.0)
    failing.request_stop()
    failing.tend(1000.0)
    assert not failing.runs(1000.0)
