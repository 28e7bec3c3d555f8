"""At a node of the cluster: one slot for the queue's own children, and what it says of them.

Knows nothing of Ray, which makes an actor of it. Nothing here reads what a parcel holds: that is
the child's, which has the limits.
"""

import asyncio
import os
import sys
import threading
import time
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from services.training.cluster.parcel import Errand, Parcel, run_errand
from services.training.queue.children import ChildDied, ChildLimits, ChildRaised, Slot, fork_server

HEAR_SECONDS: Final = 2.0
THIN_SECONDS: Final = 0.25
LOOK_SECONDS: Final = 0.5
CORE: Final = Path(__file__).parents[1] / "demand"


@dataclass(frozen=True, slots=True)
class Release:
    """What both ends must have in common; `core` is a digest of the code that trains."""

    morrow: str
    core: str
    python: str

    @classmethod
    def here(cls) -> "Release":
        return cls(version("morrow"), _core(), ".".join(map(str, sys.version_info[:2])))

    def __str__(self) -> str:
        return f"Morrow {self.morrow}, core {self.core}, on Python {self.python}"


def _end_with(parent: int) -> None:
    """End once the node's raylet has: Ray's worker lives on when that is killed. The fork server
    ends with us, and all that trains with it."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="raylet", daemon=True).start()


def _core() -> str:
    """Of the sources, since importing them takes seconds and a hundred megabytes."""
    found = sha256()
    for path in sorted(CORE.rglob("*.py")):
        found.update(f"{path.relative_to(CORE)}\0".encode() + path.read_bytes())
    return found.hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class News:
    """Since it was last asked: the latest progress, how the call ended if it did, and the
    CPU-seconds of the seat so far."""

    latest: Parcel | None
    ended: tuple[str, Any] | None
    cpu_seconds: float


class Seat:
    """One call at a time; `begin`, then `hear` until it has ended."""

    def __init__(self, preload: list[str]) -> None:
        # Else every child would import the program of Ray's worker, and with it all of Ray.
        vars(sys.modules["__main__"]).pop("__file__", None)
        _end_with(os.getppid())
        self._slot = Slot(fork_server(preload), ChildLimits())
        self._call: asyncio.Task[tuple[str, Any]] | None = None
        self._latest: Parcel | None = None
        self._news = asyncio.Event()
        self._renewing = asyncio.Lock()

    async def release(self) -> Release:
        return Release.here()

    async def begin(
        self, parcel: Parcel, seconds: float, names: tuple[str, ...], *beside: bytes
    ) -> None:
        """Run the errand, within `seconds`; what was under way is ended first."""
        async with self._renewing:  # or the new child would be taken for the old one
            await self.stop()
        errand = Errand(parcel, dict(zip(names, beside, strict=True)))
        self._latest = None
        self._call = asyncio.create_task(self._run(errand, seconds))

    async def hear(self) -> News:
        """At once if it has ended, else after the next progress, or `HEAR_SECONDS`: whoever is
        silent for longer is gone."""
        call = self._call
        assert call is not None, "begun before it is heard"
        if not call.done():
            noted = asyncio.create_task(self._noted())
            await asyncio.wait(
                {noted, call}, timeout=HEAR_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            noted.cancel()
        latest, self._latest = self._latest, None
        self._news.clear()
        return News(latest, call.result() if call.done() else None, self._slot.cpu_seconds)

    async def stop(self) -> float:
        """End what is under way, and all that it started; the CPU-seconds so far."""
        if self._call is not None:
            self._call.cancel()
            await asyncio.wait([self._call])
        return self._slot.cpu_seconds

    async def renew(self) -> None:
        """End the child; what is under way ends as died."""
        async with self._renewing:
            await asyncio.to_thread(self._slot.kill)

    async def _noted(self) -> None:
        await self._news.wait()
        await asyncio.sleep(THIN_SECONDS)  # several to one asking: the latest counts

    def _note(self, latest: Parcel) -> None:
        self._latest = latest
        self._news.set()

    async def _run(self, errand: Errand, seconds: float) -> tuple[str, Any]:
        try:
            return "done", await self._slot.run(run_errand, errand, self._note, seconds)
        except ChildDied as error:
            return "died", (error.cause, str(error))
        except ChildRaised as error:
            return "raised", (error.kind, str(error).removeprefix(f"{error.kind}: "))
