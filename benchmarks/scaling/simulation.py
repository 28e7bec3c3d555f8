"""A day of the queue: jobs come, workers' slots claim by the queue's own rules, time passes.

A job is a `prepare` task in a lane of its own, then where it learns a `pool` task, then a `train`
task a series. A worker that dies over a task loses it; after its lease another claims it.
"""

import heapq
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import numpy as np

from benchmarks.scaling.assumptions import Assumptions
from benchmarks.scaling.day import Asked
from benchmarks.scaling.fair_queue import FairQueue, Task
from benchmarks.scaling.inputs import Inputs
from benchmarks.scaling.population import SEED
from services.training.demand.classification import VolumeClass

BIN: Final = 300.0
TRAINING: Final = ("pool", "train")
PREPARING: Final = ("prepare",)
PREPARE_SLOTS: Final = 16
LEASE: Final = 20.0
LANES: Final = (PREPARING, TRAINING)
Noise = Callable[[np.random.Generator], float]
Bins = dict[int, float]


@dataclass(slots=True)
class Job:
    """`begun`: when its first pool or series was claimed."""

    asked: Asked
    left: int
    begun: float = math.nan
    ended: float = math.nan

    @property
    def wait(self) -> float:
        return self.begun - self.asked.at

    @property
    def took(self) -> float:
        return self.ended - self.asked.at


@dataclass(slots=True)
class Course:
    """What happened, and in each five minutes: claims, series published, jobs asked for, seconds of
    slots in use, and at their beginning the depth of the queue and the age of its oldest."""

    jobs: list[Job]
    slots: int
    claims: Bins = field(default_factory=dict)
    published: Bins = field(default_factory=dict)
    asked: Bins = field(default_factory=dict)
    busy: Bins = field(default_factory=dict)
    depth: Bins = field(default_factory=dict)
    age: Bins = field(default_factory=dict)

    @property
    def series(self) -> float:
        return sum(self.published.values())

    @property
    def busy_seconds(self) -> float:
        return sum(self.busy.values())


@dataclass(frozen=True, slots=True)
class Service:
    """Seconds that a slot is taken for; `noise` multiplies those of a training, by chance."""

    prepare: Callable[[int], float]
    pool: Callable[[int], float]
    train: Callable[[VolumeClass], float]
    noise: Noise
    lost_share: float

    @classmethod
    def of(cls, inputs: Inputs, given: Assumptions) -> "Service":
        """A slot waits for its child, and for its worker, which reads and publishes."""
        own = inputs.slot_own_seconds()
        prepare, each = inputs.of("job_prepare_ms") / 1000, inputs.of("series_prepare_ms") / 1000
        speed = given.core_speed
        return cls(
            prepare=lambda series: (prepare + each * series) / speed,
            pool=lambda series: inputs.pool_seconds(series) / speed,
            train=lambda volume: (inputs.train_seconds(volume) + own) / speed,
            noise=partial(log_normal, spread=given.train_spread),
            lost_share=given.lost_share,
        )


def simulate(
    asked: Sequence[Asked],
    slots: int,
    service: Service,
    most_running: int | None = None,
    seed: int = SEED,
) -> Course:
    """Until the last job has ended."""
    return _Run(asked, slots, service, most_running, seed).run()


class _Run:
    def __init__(
        self,
        asked: Sequence[Asked],
        slots: int,
        service: Service,
        most_running: int | None,
        seed: int,
    ) -> None:
        self._service = service
        self._queue = FairQueue(most_running)
        self._random = np.random.default_rng([seed, 3])
        self._free = {PREPARING: max(PREPARE_SLOTS, PREPARE_SLOTS * slots // 4), TRAINING: slots}
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._course = Course([], slots)
        self._of: dict[int, tuple[Job, VolumeClass | None]] = {}
        self._number = 0
        self._bin = -1
        for one in asked:
            self._at(one.at, partial(self._ask, one))

    def run(self) -> Course:
        while self._events:
            now, _, happen = heapq.heappop(self._events)
            self._look(now)
            happen(now)
            self._fill(now)
        return self._course

    def _at(self, when: float, happen: Callable[[float], None]) -> None:
        self._number += 1
        heapq.heappush(self._events, (when, self._number, happen))

    def _ask(self, asked: Asked, now: float) -> None:
        job = Job(asked, len(asked.series))
        self._course.jobs.append(job)
        _add(self._course.asked, now, 1)
        self._put(job, [("prepare", 1.0, None)], now)

    def _put(
        self, job: Job, wanted: Sequence[tuple[str, float, VolumeClass | None]], now: float
    ) -> None:
        tasks = []
        for kind, cost, volume in wanted:
            self._number += 1
            tasks.append(Task(self._number, job.asked.tenant, kind, job.asked.priority, cost, now))
            self._of[self._number] = (job, volume)
        self._queue.put(tasks)

    def _fill(self, now: float) -> None:
        for lane in LANES:
            while self._free[lane] and (task := self._queue.claim(lane, now)) is not None:
                self._free[lane] -= 1
                _add(self._course.claims, now, 1)
                self._start(lane, task, now)

    def _start(self, lane: tuple[str, ...], task: Task, now: float) -> None:
        job, volume = self._of[task.id]
        if lane is TRAINING and math.isnan(job.begun):
            job.begun = now
        seconds = self._seconds(task, job, volume)
        if self._random.random() < self._service.lost_share:
            lived = seconds * self._random.random()
            self._at(now + lived, lambda at: self._lose(lane, task, at))
            seconds = lived
        else:
            self._at(now + seconds, lambda at: self._end(lane, task, at))
        if lane is TRAINING:
            _spread(self._course.busy, now, seconds)

    def _seconds(self, task: Task, job: Job, volume: VolumeClass | None) -> float:
        service = self._service
        if task.kind == "prepare":
            return service.prepare(len(job.asked.series))
        if volume is None:
            return service.pool(job.asked.learns)
        return service.train(volume) * service.noise(self._random)

    def _lose(self, lane: tuple[str, ...], task: Task, now: float) -> None:
        """Its slot works again at once; the task is free when its lease has run out."""
        self._free[lane] += 1
        self._at(now + LEASE, lambda _: self._queue.put_back(task))

    def _end(self, lane: tuple[str, ...], task: Task, now: float) -> None:
        self._free[lane] += 1
        self._queue.ended(task)
        job, volume = self._of.pop(task.id)
        if task.kind == "prepare" and job.asked.learns:
            self._put(job, [("pool", 5.0 * math.sqrt(job.asked.learns), None)], now)
        elif volume is None:
            self._put(job, [("train", 1.0, each) for each in job.asked.series], now)
        else:
            _add(self._course.published, now, 1)
            job.left -= 1
            if job.left == 0:
                job.ended = now

    def _look(self, now: float) -> None:
        """At the beginning of each five minutes what the queue looks like."""
        while self._bin < int(now // BIN):
            self._bin = int(now // BIN) if self._bin < 0 else self._bin + 1
            self._course.depth[self._bin] = self._queue.depth(TRAINING)
            self._course.age[self._bin] = self._queue.oldest(self._bin * BIN, TRAINING)


def log_normal(random: np.random.Generator, spread: float) -> float:
    """With a mean of one; `spread` is its standard deviation."""
    if spread == 0:
        return 1.0
    variance = math.log(1 + spread**2)
    return math.exp(random.normal(-variance / 2, math.sqrt(variance)))


def _add(bins: Bins, now: float, count: int) -> None:
    at = int(now // BIN)
    bins[at] = bins.get(at, 0) + count


def _spread(bins: Bins, begin: float, seconds: float) -> None:
    """Over the five minutes that it lasts."""
    while seconds > 0:
        at = int(begin // BIN)
        here = min(seconds, (at + 1) * BIN - begin)
        if here <= 0:
            here = min(seconds, BIN)
        bins[at] = bins.get(at, 0.0) + here
        begin += here
        seconds -= here
