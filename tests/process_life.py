"""Whether processes live and whose children they are, for tests that end them."""

import os
import time
from pathlib import Path

PROC = Path("/proc")
PATIENCE_SECONDS = 60.0


def runs(pid: int) -> bool:
    """Whether the process exists and has not ended; one that nobody reaped yet has."""
    fields = _stat(pid)
    return bool(fields) and fields[0] not in "ZX"


def all_end(pids: list[int]) -> bool:
    """Whether all of them end within the time a test has."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while any(map(runs, pids)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def children_of(pid: int) -> list[int]:
    """The living processes that it started itself, in the order of their ids."""
    return [child for child in processes() if runs(child) and _stat(child)[1:2] == [str(pid)]]


def cpu_seconds(pid: int) -> float:
    """The processor time that it has had so far, itself; 0 once it is gone."""
    ticks = _stat(pid)[11:13]  # utime and stime
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def marked(mark: str) -> list[int]:
    """The living processes whose environment, as they were started, contains `mark`."""
    return [pid for pid in processes() if runs(pid) and mark.encode() in _environment(pid)]


def processes() -> list[int]:
    return sorted(int(folder.name) for folder in PROC.glob("[0-9]*"))


def _environment(pid: int) -> bytes:
    try:
        return (PROC / str(pid) / "environ").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):  # or somebody else's
        return b""


def _stat(pid: int) -> list[str]:
    """The fields from the state on: state, parent, ..."""
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return text.rpartition(")")[2].split()
