"""Which input matters most: each halved and doubled, and what comes of cost and first break."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from benchmarks.scaling.assumptions import Assumptions
from benchmarks.scaling.capacity import Day
from benchmarks.scaling.cost import month_of
from benchmarks.scaling.inputs import Inputs
from benchmarks.scaling.limits import breaks_of, sized
from benchmarks.scaling.simulation import Service

MEASURED: Final = (
    *("train_cpu_s", "series_worker_ms", "pool_cpu_s", "series_db_ms", "series_wal_bytes"),
    *("worker_idle_db_ms", "ring_db_ms_per_listener", "look_db_ms_per_1000_tenants"),
    *("source_sync_turn", "import_db_ms", "read_db_ms", "read_api_ms", "models_row_bytes"),
    *("sales_row_bytes", "artifact_bytes"),
)
ASSUMED: Final = (
    *("series_median", "trained_share", "model_days", "history_days", "pushes_a_day"),
    *(
        "reads_a_series",
        "slots_a_worker",
        "source_look_seconds",
        "core_month",
        "db_core_month",
        "commit_ms",
        "round_trip_ms",
        "core_speed",
    ),
)
FACTORS: Final = (0.5, 2.0)


@dataclass(frozen=True, slots=True)
class Swing:
    """Of a month's cost for a series, and of the tenants at which the first thing breaks: with the
    input halved, and doubled, each as a multiple of what it is."""

    name: str
    cost: tuple[float, float]
    breaks: tuple[float, float]

    @property
    def width(self) -> float:
        return max(self.cost) / min(self.cost)


def tornado(
    day: Day,
    tenants: int,
    inputs: Inputs,
    given: Assumptions,
    look: Callable[[], None],
    names: Sequence[str] = (*MEASURED, *ASSUMED),
) -> list[Swing]:
    """Widest first. Slots are taken to follow the work; the day is not simulated anew."""
    cost, breaks = _outcome(day, tenants, inputs, given, day)
    found = []
    for name in names:
        outcomes = [_changed(day, tenants, inputs, given, name, factor) for factor in FACTORS]
        halved, doubled = outcomes
        found.append(
            Swing(
                name,
                (halved[0] / cost, doubled[0] / cost),
                (halved[1] / breaks, doubled[1] / breaks),
            )
        )
        look()
    return sorted(found, key=lambda swing: -swing.width)


def _changed(
    day: Day, tenants: int, inputs: Inputs, given: Assumptions, name: str, factor: float
) -> tuple[float, float]:
    if name in MEASURED:
        return _outcome(day, tenants, inputs.scaled(name, factor), given, day, inputs)
    value = min(getattr(given, name) * factor, 1.0 if name == "trained_share" else float("inf"))
    changed = replace(given, **{name: type(getattr(given, name))(value)})
    return _outcome(_with(day, given, changed), tenants, inputs, changed, day)


def _with(day: Day, given: Assumptions, changed: Assumptions) -> Day:
    """More or fewer series, trained more or less often: the same day, more or less of it."""
    larger = changed.series_median / given.series_median
    trained = larger * changed.trained_share / given.trained_share
    course = replace(
        day.course,
        published={at: count * trained for at, count in day.course.published.items()},
        depth={at: count * trained for at, count in day.course.depth.items()},
    )
    return replace(day, course=course, larger=larger, slots_factor=day.slots_factor * trained)


def _outcome(
    day: Day,
    tenants: int,
    inputs: Inputs,
    given: Assumptions,
    base: Day,
    base_inputs: Inputs | None = None,
) -> tuple[float, float]:
    if base_inputs is not None:
        work = _work(base, inputs, given) / _work(base, base_inputs, given)
        day = replace(day, slots_factor=day.slots_factor * work)
    elif given.core_speed != 1:
        day = replace(day, slots_factor=day.slots_factor / given.core_speed)
    at = sized(day, tenants, inputs, given)
    cost = month_of(at.load, at.kept, given).all / at.day.series
    return cost, float(min(breaks_of(day, inputs, given).values()))


def _work(day: Day, inputs: Inputs, given: Assumptions) -> float:
    """Seconds of slots that the day's jobs take, without chance."""
    service = Service.of(inputs, given)
    return sum(
        (service.pool(job.asked.learns) if job.asked.learns else 0.0)
        + sum(service.train(volume) for volume in job.asked.series)
        for job in day.course.jobs
    )
