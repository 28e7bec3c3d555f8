"""How a fault is dealt: to whoever is there when it strikes. False where nobody was, for then."""

import contextlib
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar, assert_never

from tests.chaos.database import Database
from tests.streams.faults.fleet import Fleet
from tests.streams.faults.schedule import Fault, Kind

LISTENERS = """
SELECT pid FROM pg_stat_activity
WHERE application_name = 'morrow-api-listener' ORDER BY backend_start
"""
END_BACKEND = "SELECT pg_terminate_backend($1)"
FROZEN_SECONDS = 5.0
T = TypeVar("T")


@dataclass
class Striker:
    """`thaw_at` on the monotonic clock, of each backend that stands still."""

    fleet: Fleet
    database: Database
    thaw_at: dict[int, float] = field(default_factory=dict)

    def strike(self, fault: Fault) -> bool:
        match fault.kind:
            case Kind.CUT_LISTENERS:
                return self._cut(_chosen(self._listeners(), fault))
            case Kind.FREEZE_LISTENER:
                return self._freeze(_chosen(self._listeners(), fault))
            case Kind.RESTART_DATABASE:
                self.thaw(all_of_them=True)
                self.database.restart()
                return True
            case Kind.TERMINATE_API:
                return self._end_api(fault, signal.SIGTERM)
            case Kind.KILL_API:
                return self._end_api(fault, signal.SIGKILL)
            case _:
                assert_never(fault.kind)

    def deafen(self) -> None:
        """Cut whoever listens, all at once."""
        self._cut(self._listeners())

    def thaw(self, *, all_of_them: bool = False) -> None:
        now = time.monotonic()
        for pid, at in list(self.thaw_at.items()):
            if all_of_them or at <= now:
                del self.thaw_at[pid]
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def _listeners(self) -> list[int]:
        """Those that hear: who stands still does not."""
        found = self.database.look(LISTENERS) or []
        return [row["pid"] for row in found if row["pid"] not in self.thaw_at]

    def _cut(self, victims: Sequence[int]) -> bool:
        return sum(bool(self.database.look(END_BACKEND, pid)) for pid in victims) > 0

    def _freeze(self, victims: Sequence[int]) -> bool:
        for pid in victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
                self.thaw_at[pid] = time.monotonic() + FROZEN_SECONDS
                return True
        return False

    def _end_api(self, fault: Fault, number: signal.Signals) -> bool:
        victims = _chosen(self.fleet.serving(), fault)
        for api in victims:
            api.send(number)
        return bool(victims)


def _chosen(victims: Sequence[T], fault: Fault) -> Sequence[T]:
    """One of them, or nobody."""
    return [victims[int(fault.choice * len(victims))]] if victims else []
