"""The window of a log: its newest events, without a gap, and no more than it may hold."""

from hypothesis import given, settings
from hypothesis import strategies as st

from services.training.streams.told import Told
from services.training.streams.window import (
    CHUNK_BYTES,
    MOST_BEHIND,
    MOST_BYTES,
    MOST_PAGES,
    PAGE,
    Window,
    beginning,
)


def told(seq: int, size: int = 300) -> Told:
    return Told(seq, 0.0, b"x" * size, b"", b"")


def read_on(window: Window, since: int) -> list[int]:
    seen = [since]
    while chunk := window.after(seen[-1]):
        assert len(chunk) == 1 or sum(len(each.text) for each in chunk) <= CHUNK_BYTES
        seen += [each.seq for each in chunk]
    return seen[1:]


@settings(max_examples=50, deadline=None)
@given(
    pages=st.integers(0, 3),
    batches=st.lists(st.tuples(st.integers(0, 2 * PAGE), st.integers(1, 2000)), max_size=6),
)
def test_whoever_is_not_behind_it_is_told_everything(
    pages: int, batches: list[tuple[int, int]]
) -> None:
    window = Window(pages * PAGE)
    last = pages * PAGE
    sizes: list[int] = []
    for count, size in batches:
        sizes += [size] * count
        window.add([told(seq, size) for seq in range(last + 1, last + count + 1)])
        last += count
        assert window.last == last
        assert (window.first - 1) % PAGE == 0
        held = read_on(window, window.first - 1)
        assert held == list(range(window.first, last + 1))
        assert len(held) <= MOST_PAGES * PAGE
        assert len(held) <= PAGE or sum(sizes[-len(held) :]) <= MOST_BYTES
        for since in (window.first + 3, last - 1, last, last + 7):
            if since + 1 >= window.first:
                assert read_on(window, since) == list(range(since + 1, last + 1))


def test_large_events_are_held_by_the_page_at_most() -> None:
    window = Window(0)
    window.add([told(seq, 10_000) for seq in range(1, 2 * PAGE + 2)])
    assert window.first == 2 * PAGE + 1


def test_one_larger_than_a_chunk_is_told_alone() -> None:
    window = Window(0)
    window.add([told(1, 2 * CHUNK_BYTES), told(2), told(3)])
    assert [each.seq for each in window.after(0)] == [1]
    assert [each.seq for each in window.after(1)] == [2, 3]


def test_a_log_whose_oldest_events_were_not_kept_goes_on_where_it_does() -> None:
    window = Window(0)
    window.add([told(seq) for seq in range(51, 60)])
    assert read_on(window, window.first - 1) == list(range(51, 60))


@given(since=st.integers(0, 2000), last=st.integers(0, 1000))
def test_it_begins_at_a_page_for_whoever_comes_first_unless_they_are_far_behind(
    since: int, last: int
) -> None:
    begins = beginning(since, last)
    assert begins % PAGE == 0
    assert begins <= last
    assert begins <= since or last - begins < (MOST_BEHIND + 1) * PAGE
    assert last - begins < (MOST_BEHIND + 1) * PAGE
