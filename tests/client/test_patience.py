"""For how long a follower bears what fails: by a clock of the test's own."""

import pytest

from morrow import GaveUp, Retries, Unreachable
from morrow.errors import Refused
from morrow.following.place import Place
from morrow.schemas import Event

AWAY = Unreachable("http://morrow", "away", taken=False)


def place(patience: float = 60.0) -> Place:
    return Place("1", 0, patience, Retries(first_pause=1.0, longest_pause=8.0), lambda: 1.0)


def event(seq: int) -> Event:
    return {"seq": seq, "at": "", "type": "product.progress", "percent": 1.0, "message": ""}


def test_pauses_grow_up_to_their_limit() -> None:
    here = place(1000.0)
    assert [here.pause_after(AWAY, 0.0) for _ in range(6)] == [1, 2, 4, 8, 8, 8]


def test_pauses_are_short_again_after_an_event() -> None:
    here = place(1000.0)
    pauses = [here.pause_after(AWAY, 0.0) for _ in range(3)]
    here.take(event(1))
    assert [*pauses, here.pause_after(AWAY, 0.0)] == [1, 2, 4, 1]


def test_pauses_are_short_again_after_a_stream_that_lasted() -> None:
    here = place(1000.0)
    assert [here.pause() for _ in range(3)] == [1, 2, 4]
    assert [here.pause(lasted=seconds) for seconds in (7.0, 9.0, 3600.0, 1.0)] == [8, 1, 1, 2]


def test_who_fails_for_as_long_as_patience_lasts_is_given_up() -> None:
    here = place(60.0)
    here.pause_after(AWAY, 100.0)
    here.pause_after(AWAY, 157.0)
    with pytest.raises(GaveUp, match="since=0"):
        here.pause_after(AWAY, 158.0)


def test_who_was_heard_meanwhile_is_not() -> None:
    here = place(60.0)
    for now in (0.0, 50.0, 100.0, 150.0):
        here.pause_after(AWAY, now)
        here.heard()


def test_what_the_caller_does_with_an_event_takes_no_patience() -> None:
    here = place(60.0)
    here.heard()
    here.take(event(1))
    assert here.pause_after(AWAY, 10_000.0) == 1


def test_what_the_service_asks_for_is_waited_for() -> None:
    here = place(60.0)
    busy = Refused("too_many_streams", "no", status=429, retry_after=5.0)
    assert here.pause_after(busy, 0.0) == 6
