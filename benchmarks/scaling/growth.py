"""What is kept, in rows, bytes and objects, once retention and growth have met."""

from dataclasses import dataclass
from typing import Final

from benchmarks.scaling.assumptions import Assumptions
from benchmarks.scaling.inputs import Inputs
from services.training.demand.config import TrainingConfig
from services.training.settings import Settings

HORIZON: Final = TrainingConfig().horizon_days
EVENTS_DAYS: Final = float(Settings.model_fields["retain_events_days"].default)
RUNS_DAYS: Final = float(Settings.model_fields["retain_runs_days"].default)
GB: Final = 1e9


@dataclass(frozen=True, slots=True)
class Kept:
    """GB by table with indexes and bloat; objects and GB in the store; objects put a day."""

    tables: dict[str, float]
    objects: float
    object_gb: float
    puts_a_day: float
    rows: dict[str, float]

    @property
    def disk_gb(self) -> float:
        return sum(self.tables.values())


def kept(series: float, jobs_a_day: float, trained_a_day: float,
         inputs: Inputs, given: Assumptions) -> Kept:  # fmt: skip
    """Of so many series, with so many jobs and trainings a day."""
    models = trained_a_day * given.model_days
    rows = {
        "sales": series * given.history_days,
        "forecasts": models * HORIZON,
        "models": models,
        "tasks": trained_a_day * RUNS_DAYS,
        "job_events": trained_a_day * inputs.of("series_events") * EVENTS_DAYS
        + jobs_a_day * inputs.of("job_events") * EVENTS_DAYS,
        "retrainings": trained_a_day * RUNS_DAYS,
    }
    tables = {
        name: count * _row_bytes(name, inputs) * given.bloat / GB for name, count in rows.items()
    }
    puts = trained_a_day * inputs.of("artifacts_per_series")
    object_gb = models * inputs.of("artifact_bytes_per_series") / GB
    return Kept(tables, puts * given.model_days, object_gb, puts, rows)


def _row_bytes(table: str, inputs: Inputs) -> float:
    """What is like a mark of a training where no row was there to be measured."""
    name = f"{table}_row_bytes"
    return inputs.of(name if name in inputs.figures else "training_marks_row_bytes")
