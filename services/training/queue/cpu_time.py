"""How long processes were on a processor, as the kernel counts it: theirs, not the wall's."""

import os
from pathlib import Path
from typing import Final

TICKS: Final = os.sysconf("SC_CLK_TCK")
PROC: Final = Path("/proc")
SESSION, FIRST, LAST = 3, 11, 15
"""Places in `/proc/<pid>/stat` after the name: utime, stime, and those of children waited for."""


def cpu_seconds(pid: int) -> float:
    """Of a process, and of the children that it waited for; 0 where it is gone."""
    fields = _fields(pid)
    return _seconds(fields) if fields else 0.0


def cpu_seconds_of_session(leader: int) -> float:
    """Of all that lives in the session that `leader` leads, and of whom these waited for."""
    living = (_fields(int(each.name)) for each in PROC.iterdir() if each.name.isdecimal())
    return sum(_seconds(fields) for fields in living if fields and int(fields[SESSION]) == leader)


def _seconds(fields: list[bytes]) -> float:
    return sum(map(int, fields[FIRST:LAST])) / TICKS


def _fields(pid: int) -> list[bytes]:
    try:
        stat = (PROC / str(pid) / "stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return stat.rpartition(b")")[2].split()
