"""A pod: what it was told, what is known of it, and what happened to it."""

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.infrastructure.kubelet.container import Container
from tests.infrastructure.kubelet.template import Template

STARTED: Final = "started"
READY: Final = "ready"
UNREADY: Final = "unready"
FAILED: Final = "failed its liveness"
NEVER_STARTED: Final = "failed its startup"
CRASHED: Final = "ended by itself"
DELETED: Final = "deleted"
TOLD: Final = "told to end"
LEFT: Final = "left"
KILLED: Final = "killed"


@dataclass(frozen=True, slots=True)
class Happened:
    at: float
    what: str


@dataclass(eq=False, slots=True)
class Pod:
    """`leaving` is set once it is deleted. `restarts` counts its containers after the first."""

    name: str
    template: Template
    ports: dict[str, int]
    folder: Path
    container: Container | None = None
    ready: bool = False
    ready_since: float = 0.0
    leaving: asyncio.Event = field(default_factory=asyncio.Event)
    gone: bool = False
    restarts: int = 0
    happened: list[Happened] = field(default_factory=list)

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def port(self) -> int:
        """Where it is routed to."""
        return self.ports["http"]

    @property
    def routable(self) -> bool:
        return self.ready and not self.leaving.is_set()

    def running(self) -> Container:
        assert self.container is not None, f"{self.name} runs nothing"
        return self.container

    def note(self, what: str) -> None:
        self.happened.append(Happened(time.monotonic(), what))

    def has(self, what: str) -> bool:
        return any(each.what == what for each in self.happened)

    def when(self, what: str) -> float:
        """The last time."""
        return max(each.at for each in self.happened if each.what == what)

    def became_ready(self, ready: bool) -> bool:
        """Whether that is news."""
        if ready is self.ready:
            return False
        self.ready = ready
        self.ready_since = time.monotonic()
        self.note(READY if ready else UNREADY)
        return True

    def available(self, min_ready: float) -> bool:
        return self.routable and time.monotonic() - self.ready_since >= min_ready

    def seconds_to_leave(self) -> float:
        """From the signal on."""
        return self.when(LEFT) - self.when(TOLD)
