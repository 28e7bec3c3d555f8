"""How long a request may keep the database busy."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

SHORTEST: Final = 0.001


@dataclass(slots=True)
class Deadline:
    """`seconds` from when the request was last heard of: its body read, or a piece of its answer
    taken, so that who sends or reads slowly keeps its time."""

    seconds: float
    ends_at: float

    def renew(self) -> None:
        self.ends_at = time.monotonic() + self.seconds

    def left(self) -> float:
        """Seconds; a statement that begins too late has next to none."""
        return max(SHORTEST, self.ends_at - time.monotonic())


_DEADLINE: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


def current_deadline() -> Deadline | None:
    """That of the request being answered; None outside of any."""
    return _DEADLINE.get()


@contextmanager
def within(seconds: float) -> Iterator[Deadline]:
    """What is done in the context has `seconds`."""
    deadline = Deadline(seconds, time.monotonic() + seconds)
    token = _DEADLINE.set(deadline)
    try:
        yield deadline
    finally:
        _DEADLINE.reset(token)
