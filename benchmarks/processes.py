"""What the kernel knows of running processes: their memory, their time, and who started them."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from os import sysconf
from pathlib import Path

PROC = Path("/proc")
_PARENT, _TIMES = 1, slice(11, 15)
"""Fields of /proc/PID/stat after the command's name: its parent; own and waited-for clock ticks."""


@dataclass(frozen=True, slots=True)
class Memory:
    """In MiB: all that is resident, and that with each shared page split among its sharers."""

    rss: float
    pss: float


def memory_of(pid: int) -> Memory:
    """Resident and proportional set size now; nothing of a process that has ended."""
    fields = _fields(PROC / str(pid) / "smaps_rollup")
    return Memory(fields.get("Rss", 0.0), fields.get("Pss", 0.0))


def peak_rss(pid: int) -> float:
    """The highest resident size so far, in MiB; what it shares with its parent counts fully."""
    return _fields(PROC / str(pid) / "status").get("VmHWM", 0.0)


def children_by_parent() -> dict[int, list[int]]:
    """Every process by the one that is its parent now."""
    found = defaultdict[int, list[int]](list)
    for folder in PROC.glob("[0-9]*"):
        stat = _stat(int(folder.name))
        if stat:
            found[int(stat[_PARENT])].append(int(folder.name))
    return found


def descendants(pid: int, by_parent: Mapping[int, list[int]]) -> list[int]:
    """All that a process has started, and they."""
    found = list(by_parent.get(pid, ()))
    for child in found:
        found += by_parent.get(child, ())
    return found


def command_of(pid: int) -> str:
    """Its command line; empty where it has ended."""
    try:
        return (PROC / str(pid) / "cmdline").read_text().replace("\0", " ")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def cpu_seconds(pid: int) -> float:
    """Processor time of a process, of its descendants, and of those that they have waited for."""
    ticks = 0
    for one in (pid, *descendants(pid, children_by_parent())):
        ticks += sum(map(int, _stat(one)[_TIMES]))
    return ticks / sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str]:
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return text.rpartition(")")[2].split()


def _fields(path: Path) -> dict[str, float]:
    """The lines `Name: number kB` of a file, in MiB."""
    try:
        lines = path.read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return {}
    words = [line.split() for line in lines if line.endswith(" kB")]
    return {name.rstrip(":"): int(size) / 1024 for name, size, _ in words}
