"""Which processor each side of a benchmark runs on, so that neither takes time from the other."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

CORES: Final = sorted(os.sched_getaffinity(0))
SERVING: Final = CORES[:1]
"""Of the side that is measured."""
ASKING: Final = CORES[1:2] or CORES
"""Of the side that measures; on a machine with one core both share it."""
LEAST: Final = 19
AUTOGROUP: Final = Path("/proc/self/autogroup")

Pipe = Connection


def pin(cores: Sequence[int], *processes: int) -> None:
    """The processes, with all their threads, and what they start from now on run on these cores;
    those that have ended are passed over."""
    for process in processes:
        for thread in _threads(process):
            try:
                os.sched_setaffinity(thread, cores)
            except ProcessLookupError:
                continue


def _threads(process: int) -> list[int]:
    try:
        return [int(name) for name in os.listdir(f"/proc/{process}/task")]
    except FileNotFoundError:
        return []


def stand_back() -> None:
    """This process takes of its cores only what nobody else wants."""
    os.setsid()  # a group of its own, where the scheduler shares by sessions and not by processes
    os.nice(LEAST)
    if AUTOGROUP.exists():
        AUTOGROUP.write_text(str(LEAST))


@contextmanager
def process_on(
    cores: Sequence[int], work: Callable[..., None], *arguments: object
) -> Iterator[Pipe]:
    """The pipe to a process on these cores, which does `work(pipe, *arguments)` and is gone in the
    end."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_work, args=(cores, work, there, arguments))
    process.start()
    there.close()
    try:
        yield here
    finally:
        process.terminate()
        process.join()
        here.close()


def _work(
    cores: Sequence[int], work: Callable[..., None], pipe: Pipe, arguments: tuple[object, ...]
) -> None:
    pin(cores, os.getpid())
    work(pipe, *arguments)
