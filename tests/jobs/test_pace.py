"""When a job will have ended: ever surer as it goes on, whatever its course."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

import pytest

from services.training.jobs.pace import QUIET_SECONDS, Left, Pace, Phase

WIDTH = 2
TELLING = 1.0


@dataclass(frozen=True)
class Course:
    """A job as it might go: what each of its series takes in a slot, after a pool that takes so
    long and was thought to cost so much. `slots` are there for it at a time; a series whose number
    is among the `failing` takes its time twice, and waits in between."""

    series: Sequence[float]
    pool: float = 0.0
    pool_cost: float = 0.0
    slots: Callable[[float], int] = lambda now: WIDTH
    failing: frozenset[int] = frozenset()

    def news(self) -> Iterator[tuple[float, Left]]:
        """All that is told of it, by the time at which it is; the last when it has ended."""
        yield from self._of_the_pool()
        waiting = list(enumerate(self.series))
        running: dict[int, tuple[float, float]] = {}
        held: list[tuple[float, tuple[int, float]]] = []
        again = set(self.failing)
        now, ended = self.pool, 0
        while ended < len(self.series):
            waiting += [task for since, task in held if since <= now]
            held = [(since, task) for since, task in held if since > now]
            while waiting and len(running) < self.slots(now):
                number, seconds = waiting.pop(0)
                running[number] = (now, seconds)
                yield now, self._left(running, ended, now)
            following = min(
                [began + seconds for began, seconds in running.values()]
                + [_next_telling(began, now) for began, _ in running.values()]
                + [since for since, _ in held]
                + [now + TELLING]
            )
            now = following
            for number, (began, seconds) in list(running.items()):
                if began + seconds <= now:
                    del running[number]
                    if number in again:
                        again.discard(number)
                        held.append((now + 5.0, (number, seconds)))
                    else:
                        ended += 1
                        yield now, self._left(running, ended, now)
            if running:
                yield now, self._left(running, ended, now)

    def _of_the_pool(self) -> Iterator[tuple[float, Left]]:
        count = float(len(self.series))
        for second in range(math.ceil(self.pool)):
            left = self.pool_cost * (1.0 - _told(second / self.pool))
            yield float(second), Left(left, count, 0, 0.0, 0.0)

    def _left(self, running: dict[int, tuple[float, float]], ended: int, now: float) -> Left:
        parts = [_told((now - began) / seconds) for began, seconds in running.values()]
        paces = [
            (now - began, part) for (began, _), part in zip(running.values(), parts, strict=True)
        ]
        return Left(
            pool=0.0,
            series=len(self.series) - ended - sum(parts),
            running=len(running),
            longest=1.0 - min(parts, default=1.0),
            slowest=max((since * (1.0 / part - 1.0) for since, part in paces if part), default=0.0),
        )


def _told(share: float) -> float:
    """What a task tells of itself is not quite the share of its time."""
    return min(1.0, share) ** 0.8


def _next_telling(began: float, now: float) -> float:
    return began + TELLING * (math.floor((now - began) / TELLING + 1e-9) + 1)


def errors_of(course: Course, shares: Sequence[float]) -> list[float]:
    """The errors of what is told to be left after these shares of the job's time, as shares of
    what was."""
    news = list(course.news())
    end = news[-1][0]
    errors = []
    for share in shares:
        now = share * end
        pace = pace_at(news, now)
        told = pace.seconds_left(now)
        errors.append(math.inf if told is None else abs(told - (end - now)) / (end - now))
    return errors


def pace_at(news: Sequence[tuple[float, Left]], now: float) -> Pace:
    """As it is kept by then, and read again with each news."""
    first, *others = [(at, left) for at, left in news if at <= now]
    pace = Pace.starting(first[1], first[0], WIDTH)
    for at, left in others:
        pace = Pace.of_json(pace.to_json()).heard(left, at, WIDTH)
    return pace


def skewed(seed: int) -> list[float]:
    """One in ten takes six times as long as most."""
    dice = Random(seed)
    return [
        dice.uniform(6.0, 12.0) if dice.random() < 0.1 else dice.uniform(0.5, 2.5)
        for _ in range(300)
    ]


EVEN = {
    "uniform": Course([1.4] * 120),
    "quick": Course([0.2] * 300),
    "mostly pool": Course([1.4] * 60, pool=110.0, pool_cost=70.0),
    "a pool that costs more than was thought": Course([1.4] * 60, pool=150.0, pool_cost=70.0),
    "retried": Course([1.4] * 120, failing=frozenset(range(0, 120, 9))),
    "one slot less from a third on": Course([1.4] * 240, slots=lambda now: 2 if now < 60 else 1),
    "half of the time others have the slots": Course(
        [1.4] * 200, slots=lambda now: 2 if now % 6 < 3 else 0
    ),
}


@pytest.mark.parametrize("name", EVEN)
def test_what_is_told_to_be_left_comes_true(name: str) -> None:
    half, most = errors_of(EVEN[name], (0.5, 0.9))
    assert half < 0.25
    assert most < 0.10


@pytest.mark.parametrize("seed", range(8))
def test_where_some_series_take_long_it_comes_true_as_a_share_of_the_job(seed: int) -> None:
    """Which of the last thirty will, nobody knows."""
    half, most = errors_of(Course(skewed(seed)), (0.5, 0.9))
    assert half < 0.25
    assert most * 0.1 < 0.05


def test_the_last_series_is_waited_for_although_a_slot_is_idle() -> None:
    course = Course([*[1.0] * 40, 10.0])
    [error] = errors_of(course, (0.85,))
    assert error < 0.35


def test_nothing_is_told_before_there_is_a_pace() -> None:
    start = Pace.starting(Left(0.0, 10.0, 0, 0.0, 0.0), 100.0, WIDTH)
    assert start.seconds_left(200.0) is None
    assert start.heard(Left(0.0, 10.0, 1, 1.0, 0.0), 130.0, WIDTH).seconds_left(131.0) is None


def trained_two() -> Pace:
    """Ten series, of which two were trained in ten seconds, after a minute without a slot."""
    pace = Pace.starting(Left(0.0, 10.0, 0, 0.0, 0.0), 0.0, WIDTH)
    pace = pace.heard(Left(0.0, 10.0, 2, 1.0, 0.0), 60.0, WIDTH)
    return pace.heard(Left(0.0, 8.0, 2, 1.0, 0.0), 70.0, WIDTH)


def test_the_wait_for_the_first_slot_says_nothing_of_the_pace() -> None:
    assert trained_two().seconds_left(70.0) == 40.0


def test_what_is_left_is_counted_down_while_a_task_may_take_so_long() -> None:
    assert trained_two().seconds_left(70.0 + QUIET_SECONDS) == 40.0 - QUIET_SECONDS


def test_a_longer_silence_says_that_the_job_waits() -> None:
    told = [trained_two().seconds_left(70.0 + silent) for silent in (10.0, 30.0, 60.0, 600.0)]
    assert None not in told
    assert told == sorted(told, key=lambda seconds: seconds or 0.0)
    assert told[-1] > 600.0


def test_a_task_that_begins_again_has_not_undone_what_others_did() -> None:
    pace = trained_two().heard(Left(0.0, 7.2, 2, 0.6, 0.0), 74.0, WIDTH)
    again = pace.heard(Left(0.0, 7.6, 2, 1.0, 0.0), 74.0, WIDTH)
    assert (again.work, again.seconds) == (pace.work, pace.seconds)


def test_the_series_begin_at_the_pace_of_their_pool_in_each_slot() -> None:
    pace = Pace.starting(Left(20.0, 10.0, 0, 0.0, 0.0), 0.0, WIDTH)
    pace = pace.heard(Left(10.0, 10.0, 0, 0.0, 0.0), 30.0, WIDTH)
    assert pace.seconds_left(30.0) == 10 * 3.0 + 10 * 3.0 / WIDTH
    pace = pace.heard(Left(0.0, 10.0, 0, 0.0, 0.0), 60.0, WIDTH)
    assert (pace.phase, pace.seconds_left(60.0)) == (Phase.SERIES, 10 * 3.0 / WIDTH)
