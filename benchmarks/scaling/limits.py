"""What ends first as tenants grow: each resource, how much is used, and where all of it is."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from benchmarks.scaling.assumptions import Assumptions
from benchmarks.scaling.capacity import Day
from benchmarks.scaling.growth import Kept, kept
from benchmarks.scaling.inputs import Inputs
from benchmarks.scaling.load import Load, load_of, total

MOST_TENANTS: Final = 100_000_000


@dataclass(frozen=True, slots=True)
class Sized:
    """A day at some number of tenants: what it asks for, and what is kept of it."""

    tenants: int
    day: Day
    load: Load
    kept: Kept


@dataclass(frozen=True, slots=True)
class Limit:
    """`used`: of what it bears, one is all. `sign`: what tells of it. `then`: what to do."""

    name: str
    used: Callable[[Sized, Inputs, Assumptions], float]
    sign: str
    then: str


def sized(day: Day, tenants: int, inputs: Inputs, given: Assumptions) -> Sized:
    """The same day for another number of tenants, each simulated one standing for more or fewer."""
    scaled = replace(day, stands_for=tenants / len(day.tenants))
    course, stands_for = scaled.course, scaled.stands_for
    trained, jobs = course.series * stands_for, len(course.jobs) * stands_for
    stored = kept(scaled.series, jobs, trained, inputs, given)
    return Sized(tenants, scaled, load_of(scaled, tenants, inputs, given), stored)


def _leader(at: Sized, inputs: Inputs, given: Assumptions) -> float:
    return at.load.leader


def _cores(at: Sized, inputs: Inputs, given: Assumptions) -> float:
    return at.load.peak(at.load.db_cores) / (given.db_cores * given.most_load)


def _rings(at: Sized, inputs: Inputs, given: Assumptions) -> float:
    """Each process has one ring under way, and all of them go one after the other, each until its
    commit is on the disk: at one a ring takes a second, and streams are called late."""
    return at.load.fleet.processes * given.commit_ms / 1000


def _wal(at: Sized, inputs: Inputs, given: Assumptions) -> float:
    return at.load.peak(at.load.wal_mb) / (given.db_wal_mb * given.most_load)


def _commits(at: Sized, inputs: Inputs, given: Assumptions) -> float:
    return at.load.peak(at.load.commits) / (given.db_commits * given.most_load)


def _connections(at: Sized, inputs: Inputs, given: Assumptions) -> float:
    return at.load.connections / given.db_connections


def _disk(at: Sized, inputs: Inputs, given: Assumptions) -> float:
    return at.kept.disk_gb / (1000 * given.db_disk_tb * given.most_load)


def _past(at: Sized, inputs: Inputs, given: Assumptions) -> float:
    """As if none of it were in memory."""
    return at.load.past_mb / (given.db_read_mb * given.most_load)


def _vacuum(at: Sized, inputs: Inputs, given: Assumptions) -> float:
    """A table is vacuumed by one process at a time."""
    return float(at.load.db_cores["vacuum of tasks"].max()) / given.most_load


LIMITS: Final = (
    Limit(
        "one leader gives every tenant its turns, one after the other",
        _leader,
        "periodic_runs.next_at lies behind; no alert tells it: "
        "rate(morrow_periodic_turns_total) stays flat while tenants grow",
        "raise MORROW_SOURCE_LOOK_SECONDS; then the turns need several leaders (not there today)",
    ),
    Limit(
        "the doorbell: one NOTIFY after the other in one database",
        _rings,
        "morrow_doorbell_seconds, MorrowStreamsLate, MorrowListenerDeaf",
        "fewer, wider workers; a cell of its own for part of the tenants",
    ),
    Limit(
        "cores of the one database",
        _cores,
        "MorrowApiSlow and MorrowClaimsSlow, the database's own processor",
        "a larger server; then cells",
    ),
    Limit(
        "the log written ahead",
        _wal,
        "the database's own write rate; MorrowApiSlow",
        "faster disks, wal_compression; then cells",
    ),
    Limit(
        "commits that wait for the disk",
        _commits,
        "morrow_publish_seconds{step}, MorrowApiSlow",
        "faster disks; then cells",
    ),
    Limit(
        "connections to the database",
        _connections,
        "MorrowConnectionsShort; FATAL: too many clients in the database's log",
        "a pooler in transaction mode; each process keeps its direct ones",
    ),
    Limit(
        "the disk of the one database",
        _disk,
        "the disk's own fill; no alert of ours",
        "a shorter past, `MORROW_MODEL_VERSIONING_ENABLED=false`, partitions (not there), cells",
    ),
    Limit(
        "reading the past of what is trained from the disk",
        _past,
        "the database's own reads; the phase before `data.validated` of large jobs",
        "memory for the sales of a night, faster disks; then cells",
    ),
    Limit(
        "vacuum of the one table of tasks",
        _vacuum,
        "n_dead_tup of tasks, MorrowClaimsSlow",
        "partitions of tasks (not there today); then cells",
    ),
)


def breaks_at(limit: Limit, day: Day, inputs: Inputs, given: Assumptions) -> int:
    """The fewest tenants at which it is used up; `MOST_TENANTS` where it is not even then."""

    def full(tenants: int) -> bool:
        return limit.used(sized(day, tenants, inputs, given), inputs, given) >= 1

    low, high = 1, 2
    while not full(high):
        if high >= MOST_TENANTS:
            return MOST_TENANTS
        low, high = high, 2 * high
    while high - low > max(1, low // 100):
        middle = (low + high) // 2
        low, high = (low, middle) if full(middle) else (middle, high)
    return high


def breaks_of(day: Day, inputs: Inputs, given: Assumptions) -> dict[str, int]:
    """Of each limit, by name, the tenants at which it is used up."""
    return {limit.name: breaks_at(limit, day, inputs, given) for limit in LIMITS}


def hottest(at: Sized) -> str:
    """What asks most of the database's cores at its busiest."""
    busiest = int(total(at.load.db_cores).argmax())
    return max(at.load.db_cores, key=lambda name: float(at.load.db_cores[name][busiest]))
