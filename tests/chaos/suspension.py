"""A clock that stands still while its process is suspended, as a machine's own does in its sleep.

CLOCK_MONOTONIC of a stopped process goes on, that of a suspended machine does not: who suspends a
worker writes into a file of the worker's how long it was to have slept.
"""

import mmap
import struct
import time
from collections.abc import Callable
from pathlib import Path

SECONDS = struct.Struct("d")


def suspendable_clock(slept: Path) -> Callable[[], float]:
    """Monotonic seconds less those that the file says were slept through."""
    slept.write_bytes(SECONDS.pack(0.0))
    with slept.open("rb") as file:
        memory = mmap.mmap(file.fileno(), SECONDS.size, prot=mmap.PROT_READ)
    return lambda: time.monotonic() - SECONDS.unpack(memory[:])[0]


def add_sleep(slept: Path, seconds: float) -> None:
    with slept.open("r+b") as file:
        (before,) = SECONDS.unpack(file.read())
        file.seek(0)
        file.write(SECONDS.pack(before + seconds))
