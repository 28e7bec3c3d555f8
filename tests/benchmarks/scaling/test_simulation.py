"""The simulation against what queueing theory knows, and what no simulation may break."""

import heapq
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.scaling.day import INTERACTIVE, SCHEDULED, Asked
from benchmarks.scaling.simulation import Service, log_normal, simulate
from services.training.demand.classification import VolumeClass

LOW = VolumeClass.LOW
SERVICE = Service(
    prepare=lambda series: 0.0,
    pool=lambda series: 5.0,
    train=lambda volume: 1.0,
    noise=lambda random: 1.0,
    lost_share=0.0,
)


def poisson(rate: float, count: int) -> list[float]:
    gaps = np.random.default_rng(1).exponential(1 / rate, count)
    return [float(at) for at in np.cumsum(gaps)]


def single(arrivals: Sequence[float]) -> list[Asked]:
    """One series a job, each of a tenant of its own."""
    return [Asked(at, tenant, INTERACTIVE, (LOW,), 0) for tenant, at in enumerate(arrivals)]


def waits_in_line(arrivals: Sequence[float], seconds: Sequence[float], slots: int) -> list[float]:
    """First come, first served (Kiefer & Wolfowitz 1955): each takes what is free first."""
    free = [0.0] * slots
    waits = []
    for at, each in zip(arrivals, seconds, strict=True):
        begin = max(at, heapq.heappop(free))
        heapq.heappush(free, begin + each)
        waits.append(begin - at)
    return waits


def erlang_c(servers: int, load: float) -> float:
    """The probability that one waits (Erlang 1917)."""
    above = load**servers / math.factorial(servers) * servers / (servers - load)
    return above / (sum(load**n / math.factorial(n) for n in range(servers)) + above)


@pytest.mark.parametrize(("slots", "load"), [(1, 0.6), (3, 2.1)])
def test_a_line_waits_as_in_m_m_c(slots: int, load: float) -> None:
    """What the simulation is held against below is itself what the formula says."""
    seconds = np.random.default_rng(2).exponential(1.0, 200_000)
    found = np.mean(waits_in_line(poisson(load, len(seconds)), list(map(float, seconds)), slots))
    assert found == pytest.approx(erlang_c(slots, load) / (slots - load), rel=0.05)


@pytest.mark.parametrize(("slots", "load"), [(1, 0.7), (2, 1.6), (5, 4.5)])
def test_tenants_with_a_series_each_wait_as_in_one_line(slots: int, load: float) -> None:
    """Fairness moves waits between tenants and adds none: starts are at the same moments."""
    arrivals = poisson(load, 1_500)
    seconds = [float(each) for each in np.random.default_rng(3).exponential(1.0, len(arrivals))]
    drawn = iter(seconds)
    course = simulate(single(arrivals), slots, replace(SERVICE, noise=lambda _: next(drawn)))
    found = sum(job.wait for job in course.jobs)
    assert found == pytest.approx(sum(waits_in_line(arrivals, seconds, slots)))


@pytest.mark.parametrize("spread", [0.0, 0.4])
def test_trainings_of_any_spread_wait_as_in_m_g_1(spread: float) -> None:
    """Pollaczek and Khinchine: half the load's square, by what is left, with the spread's part."""
    load = 0.6
    service = replace(SERVICE, noise=lambda random: log_normal(random, spread))
    course = simulate(single(poisson(load, 8_000)), 1, service)
    found = float(np.mean([job.wait for job in course.jobs]))
    assert found == pytest.approx(load * (1 + spread**2) / (2 * (1 - load)), rel=0.1)


def night(sizes: list[int], at: float = 0.0, priority: int = SCHEDULED) -> list[Asked]:
    return [Asked(at, tenant, priority, (LOW,) * size, size) for tenant, size in enumerate(sizes)]


@pytest.mark.parametrize("lost_share", [0.0, 0.2])
def test_nothing_is_lost_and_nothing_done_twice(lost_share: float) -> None:
    sizes = [1, 7, 40, 3]
    course = simulate(night(sizes), 3, replace(SERVICE, lost_share=lost_share))
    assert course.series == sum(sizes)
    assert all(job.left == 0 and job.ended >= job.begun >= 0 for job in course.jobs)
    claims, tasks = sum(course.claims.values()), sum(sizes) + 2 * len(sizes)
    assert claims == tasks if lost_share == 0 else claims > tasks


def test_slots_are_at_work_for_what_the_work_takes_and_never_idle_beside_a_queue() -> None:
    sizes = [5, 60, 20]
    course = simulate(night(sizes), 4, SERVICE)
    work = sum(sizes) + 5.0 * len(sizes)
    assert course.busy_seconds == pytest.approx(work)
    end = max(job.ended for job in course.jobs)
    assert work / 4 <= end <= work / 4 + 5.0 + 1.0


def test_a_small_tenant_does_not_wait_for_a_large_ones_backlog() -> None:
    """With two who want the one slot, a job takes some times its own work, however much the other
    has queued before it: its pool counts for ten of the other's trainings."""
    small = Asked(100.0, 1, SCHEDULED, (LOW,) * 4, 4)
    alone = simulate([small], 1, SERVICE).jobs[0].took
    beside = simulate([*night([400]), small], 1, SERVICE).jobs[1].took
    assert alone == pytest.approx(9.0)
    assert alone < beside <= 5.0 + 10 + 2 * 4


def test_who_asks_goes_before_the_nightly_work() -> None:
    nightly = night([200])
    asked = [Asked(50.0, 1, INTERACTIVE, (LOW,), 0)]
    job = simulate(nightly + asked, 1, SERVICE).jobs[1]
    assert job.wait <= 1.0


def test_the_depth_and_age_are_those_of_the_queue() -> None:
    course = simulate(night([1_000]), 1, SERVICE)
    assert course.depth[1] == pytest.approx(1_000 - (300 - 5), abs=2)
    assert course.age[1] == pytest.approx(300 - 5, abs=2)
    assert max(course.depth) == 1_005 // 300
