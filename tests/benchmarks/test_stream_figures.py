"""What is made of the moments at which events were committed and heard."""

from __future__ import annotations

from array import array
from uuid import UUID

import pytest

from benchmarks.stream_figures import (
    count_astray,
    count_lost,
    lags_of,
    lateness,
    medians,
    nearest_rank,
    newest_of,
)
from benchmarks.stream_seats import Heard, Seat
from benchmarks.stream_writer import Committed, Log

LOGS = [Log(UUID(int=1), UUID(int=2), 10), Log(UUID(int=1), UUID(int=3), 0)]
COMMITTED = [Committed(0, 11, 0.9, 1.0), Committed(1, 1, 1.9, 2.0), Committed(0, 12, 2.9, 3.0)]


def heard(*told: tuple[int, float]) -> Heard:
    return Heard(array("q", [seq for seq, _ in told]), array("d", [at for _, at in told]))


def test_lags_are_of_every_reader_and_event_and_of_no_one_who_does_not_read() -> None:
    seats = [Seat(0, "", ""), Seat(1, "", ""), Seat(0, "", "", reads=False)]
    lags = lags_of(
        seats, [heard((11, 1.004), (12, 3.002)), heard((1, 2.001)), heard()], COMMITTED, LOGS
    )
    assert lags.ms == pytest.approx([1, 2, 4])
    assert (lags.lost, lags.astray) == (0, 0)


def test_what_never_came_is_lost_and_what_came_again_is_astray() -> None:
    lags = lags_of([Seat(0, "", "")], [heard((12, 3.1), (12, 3.2))], COMMITTED, LOGS)
    assert (lags.lost, lags.astray) == (1, 1)
    assert count_lost([1, 2, 5], range(1, 6)) == 2
    assert count_astray([1, 2, 5, 3, 4]) == 2


def test_the_newest_of_a_log_of_which_nothing_was_told_is_its_last() -> None:
    assert newest_of(LOGS, [(0, 12), (0, 11)]) == [12, 0]


@pytest.mark.parametrize(("percent", "rank"), [(50, 50), (99, 99), (100, 100), (1, 1)])
def test_ranks_are_the_nearest(percent: int, rank: int) -> None:
    assert nearest_rank(list(range(1, 101)), percent) == rank
    assert nearest_rank([7.0], percent) == 7.0


def test_a_writer_is_as_late_as_its_commits_are() -> None:
    assert lateness(COMMITTED) == pytest.approx(100)


def test_medians_hide_nothing_that_was_lost() -> None:
    rounds = [{"p99_ms": float(ms), "lost": lost} for ms, lost in [(1, 0), (9, 2), (3, 0)]]
    assert medians(rounds) == {"p99_ms": 3.0, "lost": 2}
