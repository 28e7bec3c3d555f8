"""Which faults strike, when and whom: a pure function of the seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

UNTIL = 0.9  # of the tasks: the last faults must still find somebody at work


class Kind(StrEnum):
    """A frozen worker is stopped beyond its lease by SIGSTOP; a suspended one does not even know
    that time has passed, as on a machine that slept. When the database's clock leaps, every lease
    has run out, and those who hold one work on."""

    KILL_WORKER = "kill_worker"
    KILL_CHILD = "kill_child"
    KILL_FORK_SERVER = "kill_fork_server"
    HANG_CHILD = "hang_child"
    FREEZE_WORKER = "freeze_worker"
    SUSPEND_WORKER = "suspend_worker"
    END_BACKEND = "end_backend"
    CUT_LOCKS = "cut_locks"
    CUT_LISTENER = "cut_listener"
    RESTART_DATABASE = "restart_database"
    LEAP_OF_THE_CLOCK = "leap_of_the_clock"


SHARES = {
    Kind.KILL_WORKER: 4,
    Kind.KILL_CHILD: 6,
    Kind.KILL_FORK_SERVER: 1,
    Kind.HANG_CHILD: 1,
    Kind.FREEZE_WORKER: 3,
    Kind.SUSPEND_WORKER: 2,
    Kind.END_BACKEND: 6,
    Kind.CUT_LOCKS: 3,
    Kind.CUT_LISTENER: 2,
    Kind.RESTART_DATABASE: 1.5,
    Kind.LEAP_OF_THE_CLOCK: 3,
}


@dataclass(frozen=True, slots=True)
class Fault:
    """Strikes once `after` tasks have had their effect; `choice` in [0, 1) picks the victim, and
    `leases` says for how many leases it is frozen."""

    after: int
    kind: Kind
    choice: float
    leases: float


def schedule(
    seed: int, tasks: int, faults: int, among: Sequence[Kind] = tuple(Kind)
) -> list[Fault]:
    """So many faults over so many tasks, every kind of those asked for where there is room."""
    random = Random(seed)
    kinds = [*among][:faults]
    kinds += random.choices(among, [SHARES[kind] for kind in among], k=faults - len(kinds))
    random.shuffle(kinds)
    moments = sorted(random.randrange(int(tasks * UNTIL)) for _ in kinds)
    return [
        Fault(after, kind, random.random(), random.uniform(1.1, 2.0))
        for after, kind in zip(moments, kinds, strict=True)
    ]
