"""What a job takes: of the children by volume class, of the database, of the worker, of the store.

A job's bill is a part for itself and a part for each of its series: a line through jobs of several
sizes. The pool is what was metered before the first series was trained.
"""

import asyncio
import datetime as dt
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx
import numpy as np
from rich.progress import Progress

from benchmarks.made_tenant import made_tenant
from benchmarks.processes import cpu_seconds
from benchmarks.real_data import TenantData
from benchmarks.scaling.contention import watched
from benchmarks.scaling.measuring.bill import Bill
from benchmarks.scaling.measuring.figure import Figure
from benchmarks.scaling.measuring.stage import Stage, loaded_tenant, working
from benchmarks.scaling.measuring.volumes import tenant_of
from benchmarks.service import checked, events_of, finished, first_at, order
from services.training.demand.classification import VolumeClass

IDLE_SECONDS: Final = 8.0
ASKED: Final = 100


@dataclass(frozen=True, slots=True)
class Taken:
    """What one job took beside what an idle service takes; seconds are of processors but for
    `bill.wall_seconds`."""

    series: int
    pool_cpu: float
    train_cpu: float
    worker_cpu: float
    bill: Bill
    prepare_seconds: float
    events: int
    artifacts: int
    bytes: int
    dead: int


def job_costs(
    stage: Stage, sizes: Sequence[int], of_a_class: int, progress: Progress
) -> dict[str, Figure]:
    with working(stage, [1]) as [worker]:
        run = Measured(stage, worker)
        run.job(made_tenant(4))  # warms everything up
        idle = run.idle()
        by_class = {
            volume: run.job(tenant_of(volume, of_a_class), idle)
            for volume in progress.track(list(VolumeClass), description="Jobs by class")
        }
        mixed = [
            run.job(made_tenant(size), idle)
            for size in progress.track(list(sizes), description="Jobs by size")
        ]
    return _of_children(by_class, mixed) | _of_database([*by_class.values(), *mixed])


class Measured:
    """Jobs of one worker, one after the other, each with its bill."""

    def __init__(self, stage: Stage, worker: int) -> None:
        self._stage = stage
        self._worker = worker

    def idle(self) -> Bill:
        """A second in which nothing runs."""
        return self._stage.till.bill(lambda: time.sleep(IDLE_SECONDS)).times(1 / IDLE_SECONDS)

    def job(self, data: TenantData, idle: Bill | None = None) -> Taken:
        stage, found = self._stage, dict[str, Any]()
        with loaded_tenant(stage, data) as client:
            asking = self._stage.till.bill(lambda: _ask(client)).times(1 / ASKED)
            stored = _files(stage.folder / "models")
            dead = asyncio.run(_dead(stage))
            own = cpu_seconds(self._worker)
            with watched([self._worker]) as contention:
                bill = stage.till.bill(lambda: found.update(_followed(client)))
            own = cpu_seconds(self._worker) - own
            used = _used(client)
            events = events_of(client, found["id"])
        if idle is not None:
            bill = bill - idle.times(bill.wall_seconds) - asking.times(found["asked"])
        files = _files(stage.folder / "models").items() - stored.items()
        return Taken(
            series=found["products"]["total"],
            pool_cpu=found["pool_cpu"],
            train_cpu=used - found["pool_cpu"],
            worker_cpu=own - used,
            bill=bill,
            prepare_seconds=contention.speed
            * (first_at(events, "data.validated") - first_at(events, "job.started")),
            events=len(events),
            artifacts=len(files),
            bytes=sum(size for _, size in files),
            dead=asyncio.run(_dead(stage)) - dead,
        )


def _followed(client: httpx.Client) -> dict[str, Any]:
    """The job once it has ended, and what was metered before its first series was done."""
    pool: list[float] = []
    looks = 0

    def look(job: dict[str, Any]) -> None:
        nonlocal looks
        looks += 1
        if job["products"]["succeeded"] == 0 and job["finished_at"] is None:
            pool.append(_used(client))

    job = finished(client, order(client, {}), look)
    if job["status"] != "succeeded":
        raise RuntimeError(f"the job ended {job['status']}: {job['products']}")
    return job | {"pool_cpu": max(pool, default=0.0), "asked": looks + len(pool)}


def _ask(client: httpx.Client) -> None:
    """As often as it takes to tell what one question costs; a job is asked about as its use is."""
    for _ in range(ASKED):
        _used(client)


def _used(client: httpx.Client) -> float:
    today = dt.datetime.now(dt.UTC).date()
    used = checked(client.get("/usage", params={"from": str(today - dt.timedelta(1))}))
    return float(sum(day["cpu_seconds"] for day in used["items"]))


def _files(folder: Path) -> dict[str, int]:
    return {str(each): each.stat().st_size for each in folder.rglob("*") if each.is_file()}


async def _dead(stage: Stage) -> int:
    """Rows of `tasks` that have died so far: updated or deleted."""
    connection = await asyncpg.connect(stage.server.url())
    found: int = await connection.fetchval(
        "SELECT n_tup_upd + n_tup_del FROM pg_stat_user_tables WHERE relname = 'tasks'"
    )
    await connection.close()
    return found


def _of_children(by_class: dict[VolumeClass, Taken], mixed: Sequence[Taken]) -> dict[str, Figure]:
    found = {
        f"train_cpu_s_{volume.value}": Figure(
            job.train_cpu / job.series, "s of a child's cpu", job.series, f"a job, {volume} volume"
        )
        for volume, job in by_class.items()
    }
    jobs = [*by_class.values(), *mixed]
    return found | {
        **{
            f"pool_cpu_s_of_{job.series}_series": Figure(
                job.pool_cpu, "s of a child's cpu", 1, "metered before the first series was done"
            )
            for job in mixed
        },
        "artifact_bytes_per_series": Figure(
            sum(job.bytes for job in jobs) / sum(job.series for job in jobs),
            "bytes", len(jobs), "files that a job left, its pools among them",
        ),
        "artifacts_per_series": Figure(
            sum(job.artifacts for job in jobs) / sum(job.series for job in jobs),
            "objects", len(jobs), "files that a job left",
        ),
    }  # fmt: skip


def _of_database(jobs: Sequence[Taken]) -> dict[str, Figure]:
    kinds = {
        "db_ms": ("ms of the database's cpu", [1000 * job.bill.cpu_seconds for job in jobs]),
        "wal_bytes": ("bytes", [job.bill.wal_bytes for job in jobs]),
        "statements": ("statements", [job.bill.statements for job in jobs]),
        "commits": ("COMMITs", [job.bill.commits for job in jobs]),
        "events": ("events", [float(job.events) for job in jobs]),
        "dead_tasks": ("rows of tasks", [float(job.dead) for job in jobs]),
        "prepare_ms": ("ms, less what others' work took of the cores",
                       [1000 * job.prepare_seconds for job in jobs]),
        "worker_ms": ("ms of the worker's cpu, without children",
                      [1000 * job.worker_cpu for job in jobs]),
    }  # fmt: skip
    found = {}
    how = f"a line through {len(jobs)} jobs, without what an idle service takes meanwhile"
    for name, (unit, values) in kinds.items():
        slope, intercept = _line(jobs, values)
        found[f"series_{name}"] = Figure(slope, unit, len(jobs), how)
        found[f"job_{name}"] = Figure(max(0.0, intercept), unit, len(jobs), how)
    return found


def _line(jobs: Sequence[Taken], values: Sequence[float]) -> tuple[float, float]:
    slope, intercept = np.polyfit([job.series for job in jobs], values, 1)
    return float(slope), float(intercept)
