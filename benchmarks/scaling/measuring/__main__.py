"""`python -m benchmarks.scaling.measuring`: what the model needs, measured here. JSON on stdout.

    python -m benchmarks.scaling.measuring [PART ...] [--keep FILE] [--brief]

Against the real service with a PostgreSQL that syncs, in processor seconds and counts rather than
wall seconds, for others may work beside it. Without PART all of them; what `--keep` names keeps
the parts that are not measured anew. `--brief` measures so little that figures scatter: it is for
trying the program. As the model reads it:

    F=benchmarks/scaling/measured.json
    python -m benchmarks.scaling.measuring > $F                            # some ten minutes, alone
    python -m benchmarks.scaling.measuring queue --keep $F > new && mv new $F

jobs      CPU of children by volume class and of pools, database, worker, artifacts, bytes of rows
imports   POST /sales, a request and 1,000 rows
reads     forecasts, one by one and as a file
idle      what processes ask for that have nothing to do, and their connections
turns     the leader's: a look at who is due, a turn with nothing to do
queue     a claim, an empty claim, a renewal, an end; counting the queue; vacuum
notify    a ring of the doorbell, by how many listen
streams   an event, and a frame to a socket, from `benchmarks.stream_load`
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import Progress

from benchmarks.made_tenant import made_tenant
from benchmarks.scaling.measuring.figure import Figure
from benchmarks.scaling.measuring.idle_costs import idle_costs
from benchmarks.scaling.measuring.import_costs import import_costs
from benchmarks.scaling.measuring.job_costs import job_costs
from benchmarks.scaling.measuring.notify_costs import notify_costs
from benchmarks.scaling.measuring.queue_costs import queue_costs
from benchmarks.scaling.measuring.read_costs import read_costs
from benchmarks.scaling.measuring.sizes import sizes
from benchmarks.scaling.measuring.stage import counting_server, loaded_tenant, stage, working
from benchmarks.scaling.measuring.stream_costs import stream_costs
from benchmarks.scaling.measuring.turn_costs import turn_costs
from benchmarks.service import train

Figures = Mapping[str, Figure]
Part = Callable[[bool, Progress], Figures]


def main() -> None:
    asked = arguments()
    parts: dict[str, Any] = json.loads(asked.keep.read_text())["parts"] if asked.keep else {}
    with Progress(console=Console(stderr=True)) as progress:
        for name in progress.track(asked.parts, description="Parts"):
            parts[name] = measured(PARTS[name], asked.brief, progress)
    print(json.dumps({"parts": dict(sorted(parts.items()))}, indent=2))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--keep", type=Path, metavar="FILE", help="measured earlier")
    parser.add_argument("--brief", action="store_true")
    asked = parser.parse_args()
    if unknown := sorted(set(asked.parts) - set(PARTS)):
        parser.error(f"no part {', '.join(unknown)}: choose from {', '.join(PARTS)}")
    asked.parts = asked.parts or list(PARTS)
    return asked


def measured(part: Part, brief: bool, progress: Progress) -> dict[str, object]:
    """A part's figures, when and on what they were measured."""
    before = machine()
    figures = part(brief, progress)
    told = {name: figure.told() for name, figure in sorted(figures.items())}
    return {"machine": before, "brief": brief, "figures": told}


def machine() -> dict[str, object]:
    """What the figures depend on, and no name of it."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": len(os.sched_getaffinity(0)),
        "processor": _processor(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "load_before": [round(load, 2) for load in os.getloadavg()],
        "python": sys.version.split()[0],
        "system": platform.system(),
    }


def _processor() -> str:
    with open("/proc/cpuinfo") as told:
        names = [line.partition(":")[2].strip() for line in told if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _jobs(brief: bool, progress: Progress) -> Figures:
    with stage() as service:
        found = job_costs(
            service, (6, 12) if brief else (10, 30, 60, 200), 6 if brief else 30, progress
        )
        return found | sizes(service.server)


def _imports(brief: bool, progress: Progress) -> Figures:
    with stage() as service:
        return import_costs(service)


def _reads(brief: bool, progress: Progress) -> Figures:
    series, reads = (10, 100) if brief else (40, 1_000)
    with stage() as service, loaded_tenant(service, made_tenant(series)) as client:
        with working(service, [1]):
            train(client, {"families": ["baseline"]} if brief else {})
        return read_costs(service, client, series, reads)


def _idle(brief: bool, progress: Progress) -> Figures:
    with stage() as service:
        return idle_costs(service, 5 if brief else 20)


def _turns(brief: bool, progress: Progress) -> Figures:
    with counting_server() as (server, _):
        return turn_costs(server, 50 if brief else 500)


def _queue(brief: bool, progress: Progress) -> Figures:
    with counting_server() as (server, _):
        return queue_costs(server, 200 if brief else 2_000)


def _notify(brief: bool, progress: Progress) -> Figures:
    with counting_server() as (server, _):
        return notify_costs(server, 50 if brief else 400)


def _streams(brief: bool, progress: Progress) -> Figures:
    return stream_costs(100 if brief else 500, 3 if brief else 8)


PARTS: Final[Mapping[str, Part]] = {
    "jobs": _jobs,
    "imports": _imports,
    "reads": _reads,
    "idle": _idle,
    "turns": _turns,
    "queue": _queue,
    "notify": _notify,
    "streams": _streams,
}


if __name__ == "__main__":
    main()
