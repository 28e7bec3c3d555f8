"""What a day asks of the database and of the API, five minutes by five minutes, by what asks it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.scaling.assumptions import Assumptions
from benchmarks.scaling.capacity import Day
from benchmarks.scaling.inputs import Inputs
from benchmarks.scaling.simulation import BIN
from benchmarks.scaling.traffic import BINS, Curve, Traffic, traffic_of
from services.training.queue.depth import LOOK_SECONDS as DEPTH_SECONDS
from services.training.queue.periodic import MOST_TENANTS

MB: Final = 1e6


@dataclass(frozen=True, slots=True)
class Fleet:
    """Processes: workers with their slots, and APIs with a core each."""

    slots: float
    workers: int
    apis: int

    @property
    def processes(self) -> int:
        return self.workers + self.apis


@dataclass(frozen=True, slots=True)
class Load:
    """Curves over the day by what asks: cores of the database, MB of its log and commits a second;
    cores of the APIs; and seconds a second of the one leader. `past_mb`: what is read of the past,
    a second, to be trained on."""

    fleet: Fleet
    db_cores: Mapping[str, Curve]
    wal_mb: Mapping[str, Curve]
    commits: Mapping[str, Curve]
    api_cores: Curve
    leader: float
    connections: float
    past_mb: float

    def peak(self, curves: Mapping[str, Curve]) -> float:
        return float(total(curves).max())


def total(curves: Mapping[str, Curve]) -> Curve:
    return np.asarray(sum(curves.values(), np.zeros(BINS)))


def load_of(day: Day, tenants: int, inputs: Inputs, given: Assumptions) -> Load:
    traffic = traffic_of(day, given)
    api = _api_cores(traffic, given, inputs) / given.core_speed
    workers = math.ceil(day.slots / min(given.slots_a_worker, inputs.most_slots()))
    fleet = Fleet(day.slots, workers, max(1, math.ceil(float(api.max()) / given.most_load)))
    of = _Work(day, tenants, fleet, traffic, inputs, given)
    past = given.history_days * inputs.of("sales_row_bytes") * given.bloat / MB
    processes = fleet.workers * inputs.of("worker_connections")
    return Load(
        fleet=fleet,
        db_cores={name: curve / given.core_speed / 1000 for name, curve in of.db_ms().items()},
        wal_mb={name: curve / MB for name, curve in of.wal_bytes().items()},
        commits=of.commits(),
        api_cores=api + fleet.apis * inputs.of("api_idle_cpu_ms_per_s") / 1000,
        leader=leader_share(tenants, inputs, given),
        connections=processes + fleet.apis * inputs.of("api_connections"),
        past_mb=past * float(rate(day.course.published, day.stands_for).max()),
    )


def leader_share(tenants: float, inputs: Inputs, given: Assumptions) -> float:
    """Of its time, which it spends on one turn after the other; at one it falls behind."""
    look = look_ms(tenants, inputs) / MOST_TENANTS
    return sum(
        tenants / every * (turn_ms(name, inputs, given) + look) / 1000
        for name, every in _turns(given)
    )


def turn_ms(name: str, inputs: Inputs, given: Assumptions) -> float:
    """A turn with nothing to do: both processors, each statement's way, and the commit."""
    ways = inputs.of(f"{name}_turn_statements") * given.round_trip_ms + given.commit_ms
    cores = inputs.of(f"{name}_turn_own_ms") + inputs.of(f"{name}_turn_db_ms")
    return cores / given.core_speed + ways


def look_ms(tenants: float, inputs: Inputs) -> float:
    """One look at who is due: it reads every tenant."""
    return inputs.of("look_db_ms") + inputs.of("look_db_ms_per_1000_tenants") * tenants / 1000


def _turns(given: Assumptions) -> tuple[tuple[str, float], ...]:
    """Work and the seconds between a tenant's turns at it; pruning, once an hour, is left out."""
    return (
        ("source_sync", given.source_look_seconds),
        ("retraining", given.retraining_every_seconds),
    )


def doorbell_ms(processes: float, rings: Curve, commit_ms: float, inputs: Inputs) -> Curve:
    """A second's rings, of which each wakes every process; one that hears nothing for a second
    rings for itself. What is rung while one is on its way goes with the next."""
    a_ring = inputs.of("ring_db_ms") + processes * inputs.of("ring_db_ms_per_listener")
    return np.minimum(np.maximum(rings, processes), 1000 / commit_ms) * a_ring


def _api_cores(traffic: Traffic, given: Assumptions, inputs: Inputs) -> Curve:
    told = inputs.of("event_api_ms") + given.watchers_a_job * inputs.of("frame_api_ms")
    ms = (
        traffic.watched * inputs.of("series_events") * told
        + traffic.reads * inputs.of("read_api_ms")
        + traffic.imports * inputs.of("import_api_ms_per_request")
        + traffic.rows / 1000 * inputs.of("import_api_ms_per_1000_rows")
    )
    return np.asarray(ms) / 1000


class _Work:
    """Each way of adding up, by what asks."""

    def __init__(
        self,
        day: Day,
        tenants: int,
        fleet: Fleet,
        traffic: Traffic,
        inputs: Inputs,
        given: Assumptions,
    ) -> None:
        self._given = given
        self._tenants, self._fleet, self._traffic, self._in = tenants, fleet, traffic, inputs
        self._jobs = rate(day.course.asked, day.stands_for)
        self._series = rate(day.course.published, day.stands_for)
        self._depth = rate(day.course.depth, day.stands_for) * BIN

    def db_ms(self) -> dict[str, Curve]:
        of, turns = self._in.of, dict(_turns(self._given))
        dead = self._series * of("series_dead_tasks") + self._jobs * of("job_dead_tasks")
        looks = sum(self._tenants / every / MOST_TENANTS for every in turns.values())
        return self._both("db_ms", "read_db_ms") | {
            "idle processes": self._idle("idle_db_ms_per_s"),
            "doorbell": doorbell_ms(
                self._fleet.processes, self._rings(), self._given.commit_ms, self._in
            ),
            "leader's turns": self._turning("db_ms"),
            "leader's looks": np.full(BINS, looks * look_ms(self._tenants, self._in)),
            "queue depth": self._depth / 1000 * of("depth_db_ms_per_1000_queued") / DEPTH_SECONDS,
            "vacuum of tasks": dead / 1000 * of("vacuum_db_ms_per_1000_dead"),
        }

    def wal_bytes(self) -> dict[str, Curve]:
        return self._both("wal_bytes", None) | {
            "idle processes": self._idle("idle_wal_bytes_per_s"),
            "leader's turns": self._turning("wal_bytes"),
        }

    def commits(self) -> dict[str, Curve]:
        turns = sum(self._tenants / every for _, every in _turns(self._given))
        return self._both("commits", None) | {"leader's turns": np.full(BINS, turns)}

    def _both(self, unit: str, read: str | None) -> dict[str, Curve]:
        """Training, imports and reads."""
        of, traffic = self._in.of, self._traffic
        found: dict[str, Curve] = {
            "training": self._series * of(f"series_{unit}") + self._jobs * of(f"job_{unit}"),
            "imports": traffic.imports * of(f"import_{unit}_per_request")
            + traffic.rows / 1000 * of(f"import_{unit}_per_1000_rows"),
        }
        return found | ({} if read is None else {"reads": traffic.reads * of(read)})

    def _idle(self, unit: str) -> Curve:
        of, fleet = self._in.of, self._fleet
        alone = fleet.workers * of(f"worker_{unit}") + fleet.apis * of(f"api_{unit}")
        return np.full(BINS, alone)

    def _turning(self, unit: str) -> Curve:
        a_second = sum(
            self._tenants / every * self._in.of(f"{name}_turn_{unit}")
            for name, every in _turns(self._given)
        )
        return np.full(BINS, a_second)

    def _rings(self) -> Curve:
        return np.asarray(self._series * self._in.of("series_events"))


def rate(bins: Mapping[int, float], stands_for: float) -> Curve:
    """Counts of five minutes as a second's rate, by the hour of the day."""
    curve = np.zeros(BINS)
    for at, count in bins.items():
        curve[at % BINS] += count
    return curve * stands_for / BIN
