"""When a job will have ended, by the pace of its work so far.

Work is counted in costs of tasks, and is done in phases with a pace each: one child learns the
pool, then the series train side by side. A pace is work by the time that it took, and forgets: what
is as old as half its phase counts for a third of what is new, so that slots which come and go are
noticed, and the more has been done the surer it is. It is as of the last news; who asks later is
told what is left since then, and after a silence that is longer than a task should take, more.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Final, Self

QUIET_SECONDS: Final = 3.0
"""So long no news is none: a fit that is under way tells of itself every second, at most."""


class Phase(StrEnum):
    POOL = "pool"
    SERIES = "series"


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a job, in costs: of its pool and of its series. `running` of these are at
    work: of the one that is least far the share `longest` is left, and the `slowest` takes so many
    seconds more if it goes on as it did."""

    pool: float
    series: float
    running: int
    longest: float
    slowest: float

    @property
    def phase(self) -> Phase:
        return Phase.POOL if self.pool > 0.0 else Phase.SERIES

    def of(self, phase: Phase) -> float:
        return self.pool if phase is Phase.POOL else self.series


@dataclass(frozen=True, slots=True)
class Pace:
    """As of `at`, in seconds since 1970, like `began`: `work` costs were done in `seconds`, both
    with the older discounted; nothing of the phase before it is `begun`. So many `slots` train: as
    many as were seen at work at once, and before any as the worker has."""

    phase: Phase
    began: float
    at: float
    begun: bool
    work: float
    seconds: float
    slots: int
    left: Left

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> Self:
        """What `to_json` made."""
        known = {"phase": Phase(kept["phase"]), "left": Left(**kept["left"])}
        return cls(**{**kept, **known})

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def starting(cls, left: Left, at: float, width: int) -> Self:
        """Before anything was done, by a worker that trains `width` series at once."""
        slots = width if left.phase is Phase.POOL else left.running
        return cls(left.phase, at, at, False, 0.0, 0.0, max(1, slots), left)

    def heard(self, left: Left, at: float, width: int) -> "Pace":
        """The pace after news of what is left; `width` as for `starting`."""
        at = max(at, self.at)
        if left.phase is not self.phase:
            return self._next_phase(left, at, width)
        done = max(0.0, self.left.of(self.phase) - left.of(self.phase))
        slots = max(self.slots, left.running)
        if not self.begun and done == 0.0:  # it waits for a slot, which says nothing of its pace
            shift = at - self.at
            return replace(self, began=self.began + shift, at=at, slots=slots, left=left)
        passed = at - self.at
        kept = math.exp(-passed / self._memory(at)) if passed else 1.0
        return replace(
            self,
            at=at,
            begun=True,
            work=kept * self.work + done,
            seconds=kept * self.seconds + passed,
            slots=slots,
            left=left,
        )

    def seconds_left(self, now: float) -> float | None:
        """From `now` until the job has ended; None where nothing tells yet how fast it goes."""
        if self.work <= 0.0 or self.seconds <= 0.0:
            return None
        rate = self.work / self.seconds
        silent = max(0.0, now - self.at)
        borne = max(QUIET_SECONDS, self.slots / rate)
        overdue = max(0.0, silent - borne) / max(borne, self._memory(self.at))
        left = self._at_last(rate) * (1.0 + overdue) - min(silent, borne)
        return round(max(0.0, left), 1)

    def _at_last(self, rate: float) -> float:
        if self.phase is Phase.POOL:
            return self.left.pool / rate + self.left.series / (rate * self.slots)
        side_by_side = max(self.left.series, self.left.longest * self.slots) / rate
        nobody_waits = self.left.series <= self.left.running
        return max(side_by_side, self.left.slowest) if nobody_waits else side_by_side

    def _next_phase(self, left: Left, at: float, width: int) -> "Pace":
        """It begins as if each slot had trained one series at the pace of the pool."""
        start = Pace.starting(left, at, width)
        if left.phase is Phase.POOL or self.work <= 0.0:
            return start
        seconds = self.seconds / self.work
        return replace(start, began=at - seconds, work=float(width), seconds=seconds)

    def _memory(self, at: float) -> float:
        return (at - self.began) / 2.0
