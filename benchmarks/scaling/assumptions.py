"""What is assumed and not measured: who the tenants are, what their day is like, what things cost.

Each can be changed on the command line: `--assume series_median=40 --assume core_month=18`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Final

from services.training.settings import Settings

SETTINGS: Final = Settings.model_fields


class AssumptionUnknown(ValueError):
    def __init__(self, name: str) -> None:
        known = ", ".join(field.name for field in fields(Assumptions))
        super().__init__(f"no assumption {name!r}: choose from {known}")


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Hours are local where they say so; shares are of one; prices are a month's."""

    # Who they are; median, spread, classes: `python -m benchmarks.scaling.shape`, of real tenants.
    series_median: float = 27.0
    series_sigma: float = 1.24  # of the logarithm
    series_most: int = 2_000  # the limit of the plan `standard`
    share_high: float = 0.21
    share_medium: float = 0.11
    share_low: float = 0.22
    share_intermittent: float = 0.46
    share_europe: float = 0.55  # UTC+0 to +3
    share_americas: float = 0.30  # UTC-8 to -3; the rest UTC+5 to +10

    # Their day.
    trained_share: float = 1.0  # of the series each night; the default policy is about 1/30
    closing_hour: float = 21.0  # local: when the day's sales are in, and the nightly job follows
    closing_spread_hours: float = 0.75
    pushes_a_day: float = 4.0  # of the running day's sales; each says all series once
    adhoc_jobs_a_day: float = 0.2  # a tenant, between 8 and 18 local
    adhoc_series: float = 5.0
    watchers_a_job: float = 1.0  # of a job that somebody asked for
    reading_hour: float = 5.5  # local
    reads_a_series: float = 2.0  # each morning
    train_spread: float = 0.4  # standard deviation of a training's seconds, to their mean
    lost_share: float = 0.002  # of tasks whose worker dies over them

    # What is wanted.
    nightly_hours: float = 2.0  # 99 % of the nightly jobs end within these
    adhoc_wait_seconds: float = 30.0  # 95 % of the jobs asked for begin to train within these

    # What is set: MORROW_SOURCE_LOOK_SECONDS and MORROW_RETRAINING_EVERY_SECONDS.
    source_look_seconds: float = float(SETTINGS["source_look_seconds"].default)
    retraining_every_seconds: float = float(SETTINGS["retraining_every_seconds"].default)

    # What things can bear, and are loaded to.
    core_speed: float = 1.0  # of the cores that are paid for, to those that were measured on
    most_load: float = 0.7  # of a resource
    db_cores: float = 64.0  # the largest server for one database
    db_commits: float = 20_000.0  # a second, to a disk that syncs
    db_wal_mb: float = 200.0  # a second
    commit_ms: float = 1.0  # until a commit is on the disk
    round_trip_ms: float = 0.3  # of a statement to the database and back
    db_read_mb: float = 1_000.0  # a second, from its disk
    db_disk_tb: float = 16.0
    db_connections: float = 5_000.0  # server processes, without a pooler
    bloat: float = 1.3  # of tables and indexes, to those just written
    history_days: float = 1_095.0  # of sales kept
    model_days: float = 365.0  # of model versions kept; the service itself never deletes one
    slots_a_worker: float = 4.0  # children of a worker process, or as many as it can feed

    # Prices.
    core_month: float = 20.0
    spot_share: float = 0.0  # of the workers' cores at a third of that price
    db_core_month: float = 50.0  # with its memory; a standby costs as much again
    disk_gb_month: float = 0.12
    object_gb_month: float = 0.023
    put_thousand: float = 0.005
    get_thousand: float = 0.0004


def assumed(changes: Sequence[str]) -> Assumptions:
    """The assumptions with these changed, each `name=value`."""
    found = Assumptions()
    for change in changes:
        name, _, value = change.partition("=")
        if name not in {field.name for field in fields(Assumptions)}:
            raise AssumptionUnknown(name)
        kind = type(getattr(found, name))
        found = replace(found, **{name: kind(float(value))})
    return found
