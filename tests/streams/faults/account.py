"""What one watcher was told, checked as it comes."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

FINISHED = "job.finished"
Event = Mapping[str, Any]


@dataclass(slots=True)
class Account:
    """`last` is the seq to go on after. `missed` and `again` count events, `fell` those that told
    less percent than the one before; `ends` says how each connection ended."""

    job: str
    kind: str
    last: int = 0
    percent: float = 0.0
    missed: int = 0
    again: int = 0
    fell: int = 0
    has_finished: bool = False
    complete: bool = False
    connected: bool = False
    ends: Counter[str] = field(default_factory=Counter)
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def take(self, event: Event) -> None:
        self.missed += max(0, event["seq"] - self.last - 1)
        self.again += event["seq"] <= self.last
        self.fell += event["percent"] < self.percent
        self.last, self.percent = max(event["seq"], self.last), event["percent"]
        self.has_finished = self.has_finished or event["type"] == FINISHED
        self.digest.update(canonical(event))

    @contextmanager
    def connection(self) -> Iterator[None]:
        self.connected = True
        try:
            yield
        finally:
            self.connected = False

    def end(self, how: str, *, whole: bool = False) -> None:
        """A connection ended; `whole` says that the server said it was the end of the job."""
        self.ends[how] += 1
        self.complete = whole and self.has_finished


def canonical(event: Event) -> bytes:
    """The same bytes for the same event, whichever way it came: what is null may be left out."""
    told = {name: value for name, value in event.items() if value is not None}
    return json.dumps(told, sort_keys=True).encode()
