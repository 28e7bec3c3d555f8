"""`python -m benchmarks [NAME ...]`: run benchmarks, each in a process of its own, and print what
they printed and what they were meant to reach as one JSON document; progress goes to stderr."""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

from rich.console import Console

from benchmarks.targets import table_of, verdicts

ALL: Final = (
    "fit_speed",
    "search_speed",
    "autoets_speed",
    "child_memory",
    "cold_start",
    "claim_speed",
    "job_scale",
    "main_job",
    "load_speed",
    "cancel_speed",
    "breaker_speed",
    "outage_cost",
    "wall_cost",
    "limit_cost",
    "tracing_cost",
    "stream_load",
    "watched_cost",
    "progress_lag",
    "cluster_overhead",
    "eta_error",
    "accuracy",
)
ACCURACY: Final = ("--json", "--methods", "engine", "combine", "--processes", "2")


def main() -> int:
    asked = arguments()
    screen = Console(stderr=True)
    before = machine()
    results: dict[str, Any] = {}
    for name in asked.names:
        screen.rule(name)
        try:
            results[name] = run(name, options_of(name, asked))
        except KeyboardInterrupt:
            screen.print(f"interrupted in {name}: what is left is not measured")
            break
    found = verdicts(results)
    screen.print(table_of(found))
    print(json.dumps({"machine": before, **results, "targets": list(map(asdict, found))}, indent=2))
    failed = [name for name, result in results.items() if "failed" in result]
    if failed:
        screen.print(f"[red]failed:[/] {', '.join(failed)}")
    return 1 if failed else 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", default=ALL, metavar="NAME", help=", ".join(ALL))
    parser.add_argument("--peers", action="store_true", help="run the peers of `accuracy` as well")
    parser.add_argument("--plot", metavar="FILE", help="draw `accuracy` into a .svg, .png or .pdf")
    asked = parser.parse_args()
    unknown = sorted(set(asked.names) - set(ALL))
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}: choose from {', '.join(ALL)}")
    return asked


def options_of(name: str, asked: argparse.Namespace) -> list[str]:
    if name != "accuracy":
        return []
    peers = ["--peers"] if asked.peers else []
    plot = ["--plot", asked.plot] if asked.plot else []
    return [*ACCURACY, *peers, *plot]


def run(name: str, options: Sequence[str]) -> dict[str, Any]:
    """What the benchmark printed, with the wall seconds that it took."""
    command = [sys.executable, "-m", f"benchmarks.{name}", *options]
    began = time.perf_counter()
    ended = subprocess.run(command, stdout=subprocess.PIPE)  # noqa: S603 - our own programs
    took = round(time.perf_counter() - began, 1)
    printed = {"failed": ended.returncode} if ended.returncode else json.loads(ended.stdout)
    return {**printed, "took_s": took}


def machine() -> dict[str, object]:
    """What timings depend on; a load above nothing before the start disturbs wall times."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": len(os.sched_getaffinity(0)),
        "load_before": [round(load, 2) for load in os.getloadavg()],
        "python": sys.version.split()[0],
    }


if __name__ == "__main__":
    sys.exit(main())
