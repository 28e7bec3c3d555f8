"""A day of tenants: which jobs are asked for, and when."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.scaling.assumptions import Assumptions
from benchmarks.scaling.population import SEED, Tenant
from services.training.demand.classification import VolumeClass

DAY: Final = 86_400.0
HOUR: Final = 3_600.0
INTERACTIVE, SCHEDULED = 0, 1
RETRAINING_LOOK: Final = 300.0
"""Seconds between the leader's looks whether a tenant's series are due."""
POOLS_LAST_NIGHTS: Final = 14
"""So long are kept pools good for jobs that do not learn new ones."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A job: seconds of the day, UTC; `learns` whether it learns the tenant's pool first, and of
    how many series."""

    at: float
    tenant: int
    priority: int
    series: tuple[VolumeClass, ...]
    learns: int


def jobs_of_a_day(tenants: Sequence[Tenant], given: Assumptions, seed: int = SEED) -> list[Asked]:
    """In the order of their time."""
    random = np.random.default_rng([seed, 2])
    asked = []
    for tenant in tenants:
        if (nightly := _nightly(random, tenant, given)) is not None:
            asked.append(nightly)
        asked += _adhoc(random, tenant, given)
    return sorted(asked, key=lambda job: job.at)


def _nightly(random: np.random.Generator, tenant: Tenant, given: Assumptions) -> Asked | None:
    """Soon after the day's last sales have come."""
    size = len(tenant.series)
    due = int(random.binomial(size, given.trained_share))
    local = random.normal(given.closing_hour, given.closing_spread_hours) * HOUR
    at = (local - tenant.offset * HOUR + random.uniform(0, RETRAINING_LOOK)) % DAY
    if due == 0:
        return None
    learns = 2 * due > size or random.random() < 1 / POOLS_LAST_NIGHTS
    return Asked(at, tenant.number, SCHEDULED, tenant.series[:due], size if learns else 0)


def _adhoc(random: np.random.Generator, tenant: Tenant, given: Assumptions) -> list[Asked]:
    """By day, of a few series, with the pools that are kept."""
    jobs = []
    for _ in range(random.poisson(given.adhoc_jobs_a_day)):
        series = max(1, min(len(tenant.series), int(random.poisson(given.adhoc_series))))
        at = (random.uniform(8, 18) * HOUR - tenant.offset * HOUR) % DAY
        jobs.append(Asked(at, tenant.number, INTERACTIVE, tenant.series[:series], 0))
    return jobs


def lull(asked: Sequence[Asked]) -> float:
    """A moment in the hour in which the fewest series are asked for: a day that begins there
    begins with an empty queue."""
    counts = np.zeros(24)
    for job in asked:
        counts[int(job.at // HOUR)] += len(job.series)
    return float((int(counts.argmin()) + 0.5) * HOUR)
