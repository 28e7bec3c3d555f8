"""Processes whose parent, a child of ours, has ended and left them to us (Linux)."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
GRACE_SECONDS = 2.0
LAST_PATIENCE_SECONDS = 5.0

Known = Collection[subprocess.Popen[bytes]]


def adopt_strangers() -> None:
    """Become the parent of every descendant that loses its own; elsewhere than on Linux, nothing.

    Without it a grandchild in a session of its own would go on under the first process.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl(PR_SET_CHILD_SUBREAPER): {os.strerror(number)}")


def reap_strangers(known: Known) -> list[int]:
    """Take the ended strangers off the process table, and tell their ids.

    Looks before it takes, because the status of a known child belongs to its Popen.
    """
    reaped = []
    while (pid := _ended_child()) is not None:
        owner = next((child for child in known if child.pid == pid), None)
        if owner is not None:
            owner.poll()
        else:
            os.waitpid(pid, os.WNOHANG)
            reaped.append(pid)
    return reaped


class Strangers:
    """Kills strangers that do not end by themselves within a short grace."""

    def __init__(self) -> None:
        self._first_seen: dict[int, float] = {}

    def tend(self, known: Known, now: float) -> list[int]:
        """Reap the ended, kill the overdue; the ids of the reaped."""
        reaped = reap_strangers(known)
        present = strangers(known)
        self._first_seen = {pid: self._first_seen.get(pid, now) for pid in present}
        for pid, since in self._first_seen.items():
            if now - since >= GRACE_SECONDS:
                _kill(pid)
        return reaped


def end_strangers(known: Known) -> None:
    """Kill all of them, and whom these leave behind in turn, until there is none."""
    deadline = time.monotonic() + LAST_PATIENCE_SECONDS
    while (present := strangers(known)) and time.monotonic() < deadline:
        for pid in present:
            _kill(pid)
        time.sleep(0.01)
        reap_strangers(known)


def strangers(known: Known) -> list[int]:
    """Our children that we did not start, ended or not."""
    if sys.platform != "linux":
        return []
    own = {child.pid for child in known}
    pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal())
    return [pid for pid in pids if pid not in own and _parent(pid) == os.getpid()]


def _ended_child() -> int | None:
    try:
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return None if ended is None else ended.si_pid


def _parent(pid: int) -> int | None:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(status.rpartition(")")[2].split()[1])  # after the name, which may hold anything


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # ended by itself
