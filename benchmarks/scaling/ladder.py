"""The ladder: what so many tenants need, what it costs, and what of it is used most."""

import math
from dataclasses import asdict, dataclass
from typing import Final

from benchmarks.scaling.assumptions import Assumptions
from benchmarks.scaling.capacity import SAMPLE, Day, plan_day
from benchmarks.scaling.cost import db_cores_needed, month_of
from benchmarks.scaling.inputs import Inputs
from benchmarks.scaling.limits import LIMITS, breaks_of, hottest, sized

ROOM: Final = 0.9
TENANTS: Final = (10, 100, 1_000, 10_000, 100_000)


@dataclass(frozen=True, slots=True)
class Rung:
    """What so many tenants need. Peaks are of the busiest five minutes; money is of a month."""

    tenants: int
    series: int
    slots: float
    workers: int
    apis: int
    nightly_p99_hours: float
    adhoc_wait_p95_s: float
    deepest: int
    oldest_s: float
    db_cores_peak: float
    db_cores_needed: int
    db_hottest: str
    wal_mb_peak: float
    commits_peak: float
    connections: int
    leader_share: float
    disk_gb: float
    objects_gb: float
    puts_a_day: int
    cost_month: float
    cost_tenant: float
    cost_series: float
    nearest_limit: str
    nearest_used: float
    cells: int

    def told(self) -> dict[str, object]:
        rounded = {
            name: float(f"{value:.4g}") if isinstance(value, float) else value
            for name, value in asdict(self).items()
        }
        return rounded


class Days:
    """Days by their number of tenants; all that are larger than the sample share one."""

    def __init__(self, inputs: Inputs, given: Assumptions) -> None:
        self._inputs, self._given = inputs, given
        self._days: dict[int, Day] = {}
        self._breaks: dict[int, dict[str, int]] = {}

    def breaks(self, tenants: int) -> dict[str, int]:
        """Of each limit, by name, how many tenants such as those of this day use it up."""
        at = min(tenants, SAMPLE)
        if at not in self._breaks:
            self._breaks[at] = breaks_of(self.of(at), self._inputs, self._given)
        return self._breaks[at]

    def of(self, tenants: int) -> Day:
        at = min(tenants, SAMPLE)
        if at not in self._days:
            self._days[at] = plan_day(at, self._inputs, self._given)
        return self._days[at]


def rung(tenants: int, days: Days, inputs: Inputs, given: Assumptions) -> Rung:
    """On one database, whatever it would have to be; but what it costs is of so many cells, a
    database each, that no limit is used up in any."""
    day = days.of(tenants)
    at = sized(day, tenants, inputs, given)
    load = at.load
    used = {limit.name: limit.used(at, inputs, given) for limit in LIMITS}
    nearest = max(used, key=lambda name: used[name])
    cells = cells_of(tenants, days)
    cell = sized(day, math.ceil(tenants / cells), inputs, given)
    cost = cells * month_of(cell.load, cell.kept, given).all
    return Rung(
        tenants=tenants,
        series=round(at.day.series),
        slots=at.day.slots,
        workers=load.fleet.workers,
        apis=load.fleet.apis,
        nightly_p99_hours=at.day.nightly_hours(),
        adhoc_wait_p95_s=at.day.adhoc_wait(),
        deepest=round(max(at.day.course.depth.values()) * at.day.stands_for),
        oldest_s=max(at.day.course.age.values()),
        db_cores_peak=load.peak(load.db_cores),
        db_cores_needed=db_cores_needed(load, given),
        db_hottest=hottest(at),
        wal_mb_peak=load.peak(load.wal_mb),
        commits_peak=load.peak(load.commits),
        connections=round(load.connections),
        leader_share=load.leader,
        disk_gb=at.kept.disk_gb,
        objects_gb=at.kept.object_gb,
        puts_a_day=round(at.kept.puts_a_day),
        cost_month=cost,
        cost_tenant=cost / tenants,
        cost_series=cost / at.day.series,
        nearest_limit=nearest,
        nearest_used=used[nearest],
        cells=cells,
    )


def cells_of(tenants: int, days: Days) -> int:
    """With some room: a tenth of each limit stays free."""
    return max(1, math.ceil(tenants / (ROOM * min(days.breaks(tenants).values()))))
