"""Which faults strike, when and whom: a pure function of the seed."""

from dataclasses import dataclass
from enum import StrEnum
from random import Random


class Kind(StrEnum):
    """A cut listener's backends are ended by the server; a frozen one's is stopped by SIGSTOP, so
    that its connection stands and is silent."""

    CUT_LISTENERS = "cut_listeners"
    FREEZE_LISTENER = "freeze_listener"
    RESTART_DATABASE = "restart_database"
    TERMINATE_API = "terminate_api"
    KILL_API = "kill_api"


@dataclass(frozen=True, slots=True)
class Faults:
    """How many of each kind."""

    cuts: int
    freezes: int
    restarts: int
    terminations: int
    kills: int

    @property
    def total(self) -> int:
        return self.cuts + self.freezes + self.restarts + self.terminations + self.kills


EARLY = 0.6
"""Of the time."""
ALL = Faults(cuts=20, freezes=2, restarts=2, terminations=2, kills=1)


@dataclass(frozen=True, slots=True)
class Fault:
    """Strikes `after` so many seconds; `choice` in [0, 1) picks the victim."""

    after: float
    kind: Kind
    choice: float


def schedule(seed: int, seconds: float, faults: Faults) -> list[Fault]:
    """The listeners are cut again and again; what else there is takes turns between, and processes
    end late: who reads slowly needs time to be found out."""
    random = Random(seed)
    early = [Kind.FREEZE_LISTENER] * faults.freezes
    early += [Kind.RESTART_DATABASE] * (faults.restarts - faults.restarts // 2)
    late = [Kind.RESTART_DATABASE] * (faults.restarts // 2)
    late += [Kind.TERMINATE_API] * faults.terminations + [Kind.KILL_API] * faults.kills
    dealt = [
        *_spread(random, 0, seconds, [Kind.CUT_LISTENERS] * faults.cuts),
        *_spread(random, 0, EARLY * seconds, random.sample(early, len(early))),
        *_spread(random, EARLY * seconds, seconds, random.sample(late, len(late))),
    ]
    return sorted(dealt, key=lambda fault: fault.after)


def _spread(random: Random, begin: float, end: float, kinds: list[Kind]) -> list[Fault]:
    """One in each of as many equal parts of the time."""
    part = (end - begin) / max(1, len(kinds))
    return [
        Fault(begin + (number + random.random()) * part, kind, random.random())
        for number, kind in enumerate(kinds)
    ]
