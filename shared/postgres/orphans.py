"""End what a killed parent left running in a cluster.

A cluster is in use by every process whose working directory it is: the postmaster and all its
backends. `postmaster.pid` alone does not tell, for its number may long be another program's,
above all in a container, where the first few numbers are always in use.
"""

import os
import signal
import sys
import time
from pathlib import Path

from shared.postgres.errors import PostgresUnavailable

PATIENCE_SECONDS = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0))
"""First a fast shutdown, then an immediate one, then none at all; each is safe for the data."""


class OrphansRemain(PostgresUnavailable):
    def __init__(self, cluster: Path, pids: tuple[int, ...]) -> None:
        self.cluster = cluster
        self.pids = pids
        super().__init__(
            f"processes {', '.join(map(str, pids))} still use {cluster} and cannot be ended"
        )


def processes_in(cluster: Path) -> tuple[int, ...]:
    """The processes at work in the cluster, as far as this user may see them; Linux only."""
    home = str(cluster.resolve())
    pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal())
    return tuple(pid for pid in pids if _working_directory(pid) == home)


def end_orphans(cluster: Path) -> None:
    """Wait for the end of an earlier server, hasten it, and remove its stale `postmaster.pid`.

    The caller holds the lock of the data directory, so whoever is still there has no parent.
    Elsewhere than on Linux PostgreSQL's own check of `postmaster.pid` has to do. Raises
    OrphansRemain.
    """
    if sys.platform != "linux":
        return
    for signal_number, seconds in PATIENCE_SECONDS:
        remaining = processes_in(cluster)
        if not remaining:
            break
        _signal(_leaders(cluster, remaining), signal_number)
        _wait_until_empty(cluster, seconds)
    if remaining := processes_in(cluster):
        raise OrphansRemain(cluster, remaining)
    (cluster / "postmaster.pid").unlink(missing_ok=True)


def _leaders(cluster: Path, remaining: tuple[int, ...]) -> tuple[int, ...]:
    """The postmaster, who ends its backends in order; without one, each for itself."""
    pid_file = cluster / "postmaster.pid"
    if pid_file.exists():
        first = pid_file.read_text().partition("\n")[0]
        if first.isdecimal() and int(first) in remaining:
            return (int(first),)
    return remaining


def _signal(pids: tuple[int, ...], signal_number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, signal_number)
        except ProcessLookupError:
            continue  # ended by itself


def _wait_until_empty(cluster: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while processes_in(cluster) and time.monotonic() < deadline:
        time.sleep(0.02)


def _working_directory(pid: int) -> str | None:
    try:
        return os.readlink(f"/proc/{pid}/cwd")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None  # ended meanwhile, or a process of another user
