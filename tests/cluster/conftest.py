"""A real cluster for the tests of a module: two nodes, processes of this machine on loopback."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.two_nodes import LIGHTER, start
from tests.process_life import children_of, marked


@dataclass(frozen=True)
class Nodes:
    """Where clients are taken, and the raylets: the processes that are the nodes."""

    address: str
    head: int
    other: int

    def node_of(self, pid: int) -> int | None:
        """The raylet that the process descends from."""
        return next((raylet for raylet in (self.head, self.other) if pid in below(raylet)), None)

    def children(self) -> set[int]:
        """What trains at the nodes: what the fork servers of the seats have forked."""
        seats = [pid for raylet in (self.head, self.other) for pid in children_of(raylet)]
        servers = [server for seat in seats for server in children_of(seat)]
        return {child for server in servers for child in children_of(server) if _is_fork(child)}


def _is_fork(pid: int) -> bool:
    """Of a fork server, and not a program that something it imports has asked."""
    try:
        return b"multiprocessing.forkserver" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False


def below(pid: int) -> set[int]:
    found = set(children_of(pid))
    return found.union(*map(below, found))


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    folder = tempfile.mkdtemp(prefix="ray-")  # short: sockets lie deep within
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(str(LIGHTER))  # for the bridges too
            started = start(folder)
            yield Nodes(started.address, started.head, started.other)
    finally:
        while left := marked(folder):
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        shutil.rmtree(folder)
    started.launcher.wait()
    for pipe in (started.launcher.stdin, started.launcher.stdout):
        assert pipe is not None
        pipe.close()
