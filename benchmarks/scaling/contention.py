"""How much of a core a process got while it wanted one, by the kernel's scheduler."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.processes import children_by_parent, descendants

LOOK_SECONDS: Final = 0.2


class Contention:
    """Of processes and all that they start, for as long as they are watched."""

    def __init__(self) -> None:
        self._ran: dict[str, tuple[int, int]] = {}

    @property
    def speed(self) -> float:
        """The time that threads ran, of the time that they ran or were ready to: one where nobody
        else wanted the cores."""
        ran = sum(ran for ran, _ in self._ran.values())
        waited = sum(waited for _, waited in self._ran.values())
        return ran / (ran + waited) if ran else 1.0

    def look(self, pids: list[int]) -> None:
        by_parent = children_by_parent()
        for pid in pids:
            for each in (pid, *descendants(pid, by_parent)):
                for path in Path(f"/proc/{each}/task").glob("*/schedstat"):
                    self._note(path)

    def _note(self, path: Path) -> None:
        try:
            ran, waited, _ = map(int, path.read_text().split())
        except (FileNotFoundError, ProcessLookupError):
            return
        self._ran[str(path)] = (ran, waited)


@contextmanager
def watched(pids: list[int]) -> Iterator[Contention]:
    """Looked at every now and then; what ended between two looks counts as it was at the first."""
    found, stop = Contention(), threading.Event()

    def run() -> None:
        while not stop.wait(LOOK_SECONDS):
            found.look(pids)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield found
    finally:
        stop.set()
        thread.join()
