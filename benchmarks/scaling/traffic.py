"""What else a day brings beside training: sales that come in, forecasts that are read, watchers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from benchmarks.scaling.assumptions import Assumptions
from benchmarks.scaling.capacity import Day
from benchmarks.scaling.day import DAY, INTERACTIVE
from benchmarks.scaling.population import Tenant
from benchmarks.scaling.simulation import BIN

BINS: Final = int(DAY // BIN)
OPENING: Final = (7.0, 21.0)
READING_HOURS: Final = 1.5
Curve = npt.NDArray[np.float64]
"""A second's rate in each five minutes of the day, UTC."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """A second's requests and rows of sales, forecasts read, and series whose job is watched."""

    imports: Curve
    rows: Curve
    reads: Curve
    watched: Curve


def traffic_of(day: Day, given: Assumptions) -> Traffic:
    """Sales are pushed through the opening hours, forecasts read within an hour and a half."""
    imports, rows, reads = np.zeros(BINS), np.zeros(BINS), np.zeros(BINS)
    morning = given.reading_hour - READING_HOURS / 2
    for offset, (tenants, series) in by_offset(day.tenants).items():
        opened = _within(*OPENING, offset)
        imports += given.pushes_a_day * tenants * opened
        rows += given.pushes_a_day * day.larger * series * opened
        reading = _within(morning, morning + READING_HOURS, offset)
        reads += given.reads_a_series * day.larger * series * reading
    watched = _watched(day) if given.watchers_a_job else np.zeros(BINS)
    return Traffic(*(day.stands_for * each / BIN for each in (imports, rows, reads, watched)))


def _watched(day: Day) -> Curve:
    """Those of the jobs that were asked for, when they were."""
    series = np.zeros(BINS)
    for job in day.course.jobs:
        if job.asked.priority == INTERACTIVE:
            series[int(job.asked.at // BIN) % BINS] += len(job.asked.series)
    return series


def by_offset(tenants: Sequence[Tenant]) -> dict[int, tuple[int, int]]:
    """Tenants and their series by how far their clock is ahead."""
    found: dict[int, tuple[int, int]] = {}
    for tenant in tenants:
        many, series = found.get(tenant.offset, (0, 0))
        found[tenant.offset] = (many + 1, series + len(tenant.series))
    return found


def _within(first: float, last: float, offset: int) -> Curve:
    """One, shared out evenly over the bins of these local hours."""
    hours = (np.arange(BINS) + 0.5) * BIN / 3600
    local = (hours + offset) % 24
    inside = (local >= first) & (local < last)
    return np.asarray(inside / inside.sum())
