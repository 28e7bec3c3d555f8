"""What a month costs, part by part, at the assumed prices."""

import math
from dataclasses import dataclass
from typing import Final

from benchmarks.scaling.assumptions import Assumptions
from benchmarks.scaling.growth import Kept
from benchmarks.scaling.load import Load

DAYS: Final = 30.4
LEAST_DB_CORES: Final = 1
SPOT_PRICE: Final = 1 / 3


@dataclass(frozen=True, slots=True)
class Month:
    """In the currency of the prices."""

    workers: float
    apis: float
    database: float
    disk: float
    objects: float
    requests: float

    @property
    def all(self) -> float:
        return self.workers + self.apis + self.database + self.disk + self.objects + self.requests


def db_cores_needed(load: Load, given: Assumptions) -> int:
    return max(LEAST_DB_CORES, math.ceil(load.peak(load.db_cores) / given.most_load))


def month_of(load: Load, stored: Kept, given: Assumptions) -> Month:
    """Workers are there all day; the database has a standby."""
    core = given.core_month
    spot = given.spot_share
    gets = 2 * stored.puts_a_day
    return Month(
        workers=load.fleet.slots * core * (1 - spot + spot * SPOT_PRICE),
        apis=load.fleet.apis * core,
        database=2 * db_cores_needed(load, given) * given.db_core_month,
        disk=2 * stored.disk_gb * given.disk_gb_month,
        objects=stored.object_gb * given.object_gb_month,
        requests=DAYS * (stored.puts_a_day * given.put_thousand + gets * given.get_thousand) / 1e3,
    )
