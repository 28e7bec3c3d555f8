"""What a worker says it did: one line each, written before anything else happens."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Said(StrEnum):
    READY = "ready"
    DONE = "done"  # the effect was committed, and the worker was told so
    STALE = "stale"  # the fence refused the effect


@dataclass(frozen=True, slots=True)
class Line:
    said: Said
    task: int
    fence: int


class Journal:
    """Survives the kill of its writer: every line is one write."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)

    def write(self, said: Said, task: int = 0, fence: int = 0) -> None:
        os.write(self._file, (json.dumps([said, task, fence]) + "\n").encode())


def read_journals(folder: Path) -> Iterator[Line]:
    for path in sorted(folder.glob("*.journal")):
        for line in path.read_text().splitlines():
            said, task, fence = json.loads(line)
            yield Line(Said(said), task, fence)
