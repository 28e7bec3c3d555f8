"""How many slots a day needs: the fewest with which its targets are met."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.scaling.assumptions import Assumptions
from benchmarks.scaling.day import HOUR, INTERACTIVE, SCHEDULED, Asked, jobs_of_a_day, lull
from benchmarks.scaling.inputs import Inputs
from benchmarks.scaling.population import Tenant, draw_tenants
from benchmarks.scaling.simulation import Course, Job, Service, simulate

SAMPLE: Final = 2_000
"""So many tenants are simulated at most; of more each stands for several, on as many slots less."""


@dataclass(frozen=True, slots=True)
class Day:
    """One that met its targets: what happened, and for how many tenants each simulated one stands.
    The factors are of variants that are not simulated anew: on more slots, of larger tenants."""

    tenants: Sequence[Tenant]
    stands_for: float
    course: Course
    slots_factor: float = 1.0
    larger: float = 1.0

    @property
    def slots(self) -> float:
        return self.course.slots * self.slots_factor * self.stands_for

    @property
    def series(self) -> float:
        return sum(len(each.series) for each in self.tenants) * self.stands_for * self.larger

    def nightly_hours(self, share: float = 0.99) -> float:
        return quantile([job.took for job in of_class(self.course, SCHEDULED)], share) / HOUR

    def adhoc_wait(self, share: float = 0.95) -> float:
        return quantile([job.wait for job in of_class(self.course, INTERACTIVE)], share)


def plan_day(
    tenants: int, inputs: Inputs, given: Assumptions, look: Callable[[int], None] = lambda _: None
) -> Day:
    """The day of so many tenants on the fewest slots that meet the targets; `look` is told of each
    number of slots that was tried."""
    drawn = draw_tenants(min(tenants, SAMPLE), given)
    asked = from_the_lull(jobs_of_a_day(drawn, given))
    service = Service.of(inputs, given)
    stands_for = max(1.0, tenants / SAMPLE)

    def attempt(slots: int) -> Day:
        look(slots)
        return Day(drawn, stands_for, simulate(asked, slots, service))

    return fewest(attempt, lambda day: meets(day, given))


def fewest(attempt: Callable[[int], Day], good: Callable[[Day], bool]) -> Day:
    """Doubling until it is good, then halving what is between."""
    slots, bad = 1, 0
    while not good(day := attempt(slots)):
        slots, bad = 2 * slots, slots
    best = day
    while slots - bad > 1:
        middle = (slots + bad) // 2
        day = attempt(middle)
        if good(day):
            best, slots = day, middle
        else:
            bad = middle
    return best


def meets(day: Day, given: Assumptions) -> bool:
    return (
        day.nightly_hours() <= given.nightly_hours and day.adhoc_wait() <= given.adhoc_wait_seconds
    )


def from_the_lull(asked: Sequence[Asked]) -> list[Asked]:
    """The same day, begun at its quietest."""
    begin = lull(asked)
    moved = [
        Asked((job.at - begin) % 86_400, job.tenant, job.priority, job.series, job.learns)
        for job in asked
    ]
    return sorted(moved, key=lambda job: job.at)


def of_class(course: Course, priority: int) -> list[Job]:
    return [job for job in course.jobs if job.asked.priority == priority]


def quantile(values: Sequence[float], share: float) -> float:
    return float(np.quantile(values, share)) if len(values) else 0.0
