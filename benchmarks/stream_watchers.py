"""Those who watch jobs, in a process of their own: let in, left alone, asked what they heard."""

import gc
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from benchmarks.pinned import Pipe, process_on, stand_back
from benchmarks.stream_seats import Heard, Seat, Sitting

PATIENCE_SECONDS: Final = 60.0
LOOK_SECONDS: Final = 0.05
UP: Final = "up"
UNTIL_CLOSED: Final = sys.maxsize  # no event has this seq


@dataclass(frozen=True, slots=True)
class Told:
    """What each seat heard, and what listening cost the process."""

    heard: Sequence[Heard]
    cpu_seconds: float
    wall_seconds: float

    @property
    def microseconds_per_event(self) -> float:
        return 1e6 * self.cpu_seconds / max(1, sum(len(one.seqs) for one in self.heard))


class Crowd:
    """The process, seen from outside."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe

    def open(self, address: str, seats: Sequence[Seat]) -> float:
        """Take every seat; the seconds until all readers were let in."""
        self._pipe.send((address, seats))
        seconds: float = self._pipe.recv()
        return seconds

    def leave(self, last: Sequence[int]) -> Told:
        """Once every reader has heard the event `last` of its job, by the job's number, or was
        closed, or a minute has passed."""
        self._pipe.send(last)
        told: Told = self._pipe.recv()
        return told


@contextmanager
def crowd(cores: Sequence[int], *, stands_back: bool = False) -> Iterator[Crowd]:
    """The process, once it is up; it leaves in the end, however that comes."""
    with process_on(cores, _sit, stands_back) as pipe:
        assert pipe.recv() == UP
        yield Crowd(pipe)


def _sit(pipe: Pipe, stands_back: bool) -> None:
    if stands_back:
        stand_back()
    pipe.send(UP)
    gc.disable()  # it would stop all of them for a while
    sitting = Sitting(*pipe.recv())
    pipe.send(sitting.open())
    began, spent = time.monotonic(), time.process_time()
    while not pipe.poll():
        sitting.listen(LOOK_SECONDS)
    last = pipe.recv()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while sitting.is_waiting(last) and time.monotonic() < deadline:
        sitting.listen(LOOK_SECONDS)
    cpu, wall = time.process_time() - spent, time.monotonic() - began
    pipe.send(Told([watcher.heard for watcher in sitting.watchers], cpu, wall))
    pipe.poll(None)  # the sockets stay open until somebody ends this process
