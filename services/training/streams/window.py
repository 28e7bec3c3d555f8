"""The newest events of one log, in memory, for all who watch it."""

from collections.abc import Sequence
from typing import Final

from services.training.streams.told import Told

PAGE: Final = 100
"""Events. A window begins where a page of the log does, so that every page before it is whole."""
MOST_PAGES: Final = 6
MOST_BEHIND: Final = 3
MOST_BYTES: Final = 128 * 1024
CHUNK_BYTES: Final = 32 * 1024


class Window:
    """Those from `first` on, without a gap. It forgets the oldest pages beyond `MOST_PAGES`, or
    beyond `MOST_BYTES` where there is more than one: who has not seen these reads the log."""

    def __init__(self, after: int) -> None:
        """Nothing so far: the next is the one after the event `after`, which ends a page."""
        self.first = after + 1
        self._told: list[Told] = []
        self._bytes = 0

    @property
    def last(self) -> int:
        """The newest event that it ever had."""
        return self.first + len(self._told) - 1

    def add(self, told: Sequence[Told]) -> None:
        """What the log holds after `last`."""
        if not told:
            return
        if told[0].seq != self.last + 1:  # of a log that has been kept long enough
            self._drop(len(self._told))
            self.first = told[0].seq
        self._told.extend(told)
        self._bytes += sum(len(each.text) for each in told)
        while self._is_too_large():
            self._drop(self._left_in_first_page())

    def after(self, seq: int) -> Sequence[Told]:
        """The next of those after `seq`, which is no earlier than the event before `first`: at
        most `CHUNK_BYTES`, but one at least, if there is any."""
        return chunk_of(self._told, seq + 1 - self.first)

    def _is_too_large(self) -> bool:
        if len(self._told) <= self._left_in_first_page():
            return False
        return len(self._told) > MOST_PAGES * PAGE or self._bytes > MOST_BYTES

    def _left_in_first_page(self) -> int:
        return end_of_page(self.first - 1) + 1 - self.first

    def _drop(self, count: int) -> None:
        self._bytes -= sum(len(each.text) for each in self._told[:count])
        del self._told[:count]
        self.first += count


def chunk_of(told: Sequence[Told], begin: int) -> Sequence[Told]:
    """Of `told`, from `begin` on, at most `CHUNK_BYTES`, but one at least, if there is any."""
    end, size = begin, 0
    while end < len(told) and (end == begin or size + len(told[end].text) <= CHUNK_BYTES):
        size += len(told[end].text)
        end += 1
    return told[begin:end]


def end_of_page(seq: int) -> int:
    """The last event of the page with the one after `seq`."""
    return (seq // PAGE + 1) * PAGE


def beginning(since: int, last: int) -> int:
    """After which event the window of a log begins that has `last`, and is first asked for by
    somebody who has seen `since`: so that they, and a crowd that comes back with them, need nothing
    but the window, unless they are far behind."""
    return max(min(since, last) // PAGE, last // PAGE - MOST_BEHIND, 0) * PAGE
