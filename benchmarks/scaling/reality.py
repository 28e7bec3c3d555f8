"""The simulation beside the real service: the same jobs on fleets of two sizes. Prints JSON.

    python -m benchmarks.scaling.reality [--series 6 12 24 48] [--fleets 1 2 1+1] [--again FILE]

For each fleet (children of each worker process: `1+1` are two workers of one) a service with a
database of its own; a tenant for each number of series asks for all of them at once, as at night,
and while they train another asks for a job by day. `speed` is what the kernel gave the workers of
what they wanted, for others may use the cores: the simulation is told of it, and of nothing else
that the run showed. Errors: simulated to real, less one.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import httpx
from rich.console import Console
from rich.progress import track

from benchmarks.made_tenant import made_tenant
from benchmarks.scaling.assumptions import Assumptions
from benchmarks.scaling.contention import watched
from benchmarks.scaling.day import INTERACTIVE, SCHEDULED, Asked
from benchmarks.scaling.inputs import Inputs, read_inputs
from benchmarks.scaling.measuring.stage import Stage, loaded_tenant, stage, warm_up, working
from benchmarks.scaling.shape import classes_of
from benchmarks.scaling.simulation import Course, Service, simulate
from benchmarks.service import events_of, finished, order

BY_DAY: Final = 4
"""Series of the job that is asked for while the others train."""
LATER_SECONDS: Final = 8.0


@dataclass(frozen=True, slots=True)
class Seen:
    """A job, in seconds since the first was asked for."""

    series: int
    priority: int
    asked: float
    begun: float
    ended: float


def run(sizes: Sequence[int], fleets: Sequence[Sequence[int]]) -> dict[str, object]:
    inputs, _ = read_inputs()
    console = Console(stderr=True)
    found = [compared(sizes, fleet, inputs) for fleet in track(fleets, "Fleets", console=console)]
    return {"load": [round(each, 2) for each in os.getloadavg()], "fleets": found}


def compared(sizes: Sequence[int], fleet: Sequence[int], inputs: Inputs) -> dict[str, object]:
    """One fleet, in reality and simulated."""
    with stage() as service:
        with working(service, [1]):
            warm_up(service)
        with working(service, fleet) as workers, watched(workers) as contention:
            seen = played(service, sizes)
    return simulated(seen, fleet, contention.speed, inputs)


def simulated(
    seen: Sequence[Seen], fleet: Sequence[int], speed: float, inputs: Inputs
) -> dict[str, object]:
    given = replace(Assumptions(), core_speed=speed, lost_share=0.0)
    course = simulate([asked_as(job) for job in seen], sum(fleet), Service.of(inputs, given))
    return (
        {"fleet": list(fleet), "speed": speed}
        | told(seen, course)
        | {"seen": [asdict(job) for job in seen]}
    )


def again(file: Path) -> dict[str, object]:
    """What was seen earlier, simulated with what has been measured since."""
    earlier: dict[str, Any] = json.loads(file.read_text())
    inputs, _ = read_inputs()
    return earlier | {
        "fleets": [
            simulated([Seen(**job) for job in one["seen"]], one["fleet"], one["speed"], inputs)
            for one in earlier["fleets"]
        ]
    }


def played(service: Stage, sizes: Sequence[int]) -> list[Seen]:
    with ExitStack() as held:
        tenants = [held.enter_context(loaded_tenant(service, made_tenant(n))) for n in sizes]
        by_day = held.enter_context(loaded_tenant(service, made_tenant(BY_DAY)))
        asked = [(one, order(one, {"priority": "scheduled"}), SCHEDULED) for one in tenants]
        time.sleep(LATER_SECONDS)
        asked.append((by_day, order(by_day, {"priority": "interactive"}), INTERACTIVE))
        ended = [(one, finished(one, job), priority) for one, job, priority in asked]
        return seen_of(ended)


def seen_of(ended: Sequence[tuple[httpx.Client, Mapping[str, Any], int]]) -> list[Seen]:
    first = min(at_of(job["created_at"]) for _, job, _ in ended)
    return [
        Seen(
            series=job["products"]["total"],
            priority=priority,
            asked=at_of(job["created_at"]) - first,
            begun=first_trained(client, job) - first,
            ended=at_of(job["finished_at"]) - first,
        )
        for client, job, priority in ended
    ]


def first_trained(client: httpx.Client, job: Mapping[str, Any]) -> float:
    """When its first series began: what a job that learns its pool waits for besides is that."""
    events = events_of(client, job["id"])
    return next(at_of(each["at"]) for each in events if each["type"] == "product.started")


def at_of(told: str) -> float:
    return datetime.fromisoformat(told).timestamp()


def asked_as(job: Seen) -> Asked:
    """As the simulation is asked for it: every job is its tenant's first, and learns its pool."""
    classes = tuple(classes_of(made_tenant(job.series)).elements())
    return Asked(job.asked, job.series, job.priority, classes, job.series)


def told(seen: Sequence[Seen], course: Course) -> dict[str, object]:
    """The whole, and job by job."""
    simulated = {job.asked.tenant: job for job in course.jobs}
    rows = [
        {
            "series": job.series,
            "by_day": job.priority == INTERACTIVE,
            "real_s": round(job.ended - job.asked, 1),
            "simulated_s": round(simulated[job.series].took, 1),
        }
        for job in seen
    ]
    real, made = max(job.ended for job in seen), max(job.ended for job in course.jobs)
    return {
        "makespan_real_s": round(real, 1),
        "makespan_simulated_s": round(made, 1),
        "makespan_error": round(made / real - 1, 3),
        "jobs": rows,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--series", type=int, nargs="+", default=[6, 12, 24, 48])
    parser.add_argument("--fleets", nargs="+", default=["1", "2", "1+1"])
    parser.add_argument("--again", type=Path, metavar="FILE", help="printed by an earlier run")
    given = parser.parse_args()
    if BY_DAY in given.series:
        sys.exit(f"tenants are told apart by their series, and {BY_DAY} is taken")
    fleets = [[int(width) for width in fleet.split("+")] for fleet in given.fleets]
    found = again(given.again) if given.again else run(given.series, fleets)
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
