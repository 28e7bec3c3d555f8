"""Whose turn it is among the processes of a host."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def turn(path: Path, *, wait: bool) -> Iterator[bool]:
    """Hold the lock file while the body runs; yields False at once if not to `wait` for a holder.

    The kernel lets go of it when the process ends, however it ends.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield _held(descriptor, wait=wait)
    finally:
        os.close(descriptor)


def _held(descriptor: int, *, wait: bool) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True
