"""What the benchmarks read of processes is what the kernel keeps of them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from benchmarks.child_memory import Family, find_family
from benchmarks.processes import (
    children_by_parent,
    command_of,
    cpu_seconds,
    descendants,
    memory_of,
    peak_rss,
)
from services.training.queue.children import ChildLimits, Slot, fork_server

MIB = 2**20
BUSY = "sum(range(20_000_000)); print('done', flush=True); input()"


@pytest.fixture
def busy() -> Iterator[subprocess.Popen[bytes]]:
    """A process that has worked, and waits."""
    process = subprocess.Popen(
        [sys.executable, "-c", BUSY], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"done\n"
    yield process
    process.communicate(b"\n")


def test_memory_grows_by_what_is_allocated_and_its_peak_stays() -> None:
    before = memory_of(os.getpid())
    block = bytearray(os.urandom(64 * MIB))
    held = memory_of(os.getpid())
    assert held.rss - before.rss == pytest.approx(len(block) / MIB, abs=8)
    assert held.pss - before.pss == pytest.approx(len(block) / MIB, abs=8)
    del block
    assert peak_rss(os.getpid()) >= held.rss - 1


def test_the_time_of_a_child_counts_as_its_parents(busy: subprocess.Popen[bytes]) -> None:
    assert busy.pid in descendants(os.getpid(), children_by_parent())
    assert cpu_seconds(busy.pid) > 0.05
    assert cpu_seconds(os.getpid()) >= cpu_seconds(busy.pid)
    assert command_of(busy.pid).startswith(sys.executable)


def test_nothing_is_known_of_a_process_that_has_ended() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert (memory_of(ended.pid).rss, peak_rss(ended.pid), command_of(ended.pid)) == (0, 0, "")


def process_id(argument: object, report: object) -> int:
    return os.getpid()


async def test_a_fork_server_is_found_with_the_children_of_its_slots() -> None:
    slots = [Slot(fork_server([]), ChildLimits()) for _ in range(2)]
    try:
        children = [await slot.run(process_id, None, print, 60) for slot in slots]
        family: Family = find_family(os.getpid())
        assert sorted(family.children) == sorted(children)
        assert len(family.servers) == 1
    finally:
        for slot in slots:
            slot.close()
