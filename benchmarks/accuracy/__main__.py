"""`python -m benchmarks.accuracy`: run methods on real data sets by the protocol.

Prints tables of the figures and of their ratios to the best single peer; with `--json` all figures
as JSON, and the tables go to stderr as the progress does. What is not there is left out by name.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from rich.console import Console

from benchmarks.accuracy.methods import METHODS, published_name
from benchmarks.accuracy.published import PeersAbsent, read_published
from benchmarks.accuracy.report import Json, report_of
from benchmarks.accuracy.running import run
from benchmarks.accuracy.tables import coverage_table, data_set_table, summary_table
from benchmarks.real_data import DATA, DATA_SETS

DEFAULT_METHODS = ("snaive7", "dow4", "default_prophet", "prophet", "pooled", "combine", "engine")
PEERS = tuple(name for name in METHODS if published_name(name) is not None)
MOST_PROCESSES = 2
LOG_WIDTH = 120


def main() -> None:
    # Read when a library is loaded: by the processes that this one starts.
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    asked = _arguments()
    try:
        published = read_published()
    except PeersAbsent as absent:
        _print_skipped(absent, asked.json)
        return
    asked_sets = asked.sets or published.data_sets
    sets = [name for name in asked_sets if (DATA / name).is_dir()]
    methods = dict.fromkeys([*asked.methods, *(PEERS if asked.peers else ())])
    wanted = [(data_set, method) for data_set in sets for method in methods]
    results = run(wanted, asked.processes)
    skipped = [name for name in asked_sets if name not in sets]
    _show(report_of(results, published) | {"skipped": skipped}, asked)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.accuracy", description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=list(DATA_SETS), metavar="SET")
    parser.add_argument(
        "--methods", nargs="+", choices=METHODS, default=DEFAULT_METHODS, metavar="METHOD",
        help=", ".join(METHODS),
    )  # fmt: skip
    parser.add_argument("--peers", action="store_true", help=f"and run {', '.join(PEERS)}")
    parser.add_argument("--json", action="store_true", help="print every figure as JSON")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw into a .svg, .png or .pdf")
    parser.add_argument("--processes", type=int, choices=range(1, MOST_PROCESSES + 1), default=1)
    return parser.parse_args()


def _show(report: Json, asked: argparse.Namespace) -> None:
    screen = Console(stderr=asked.json)
    if not screen.is_terminal:
        screen.width = LOG_WIDTH
    for table in (data_set_table(report), summary_table(report), coverage_table(report)):
        screen.print(table)
    if asked.plot is not None:
        from benchmarks.accuracy.plot import draw

        draw(report, asked.plot)
    if asked.json:
        print(json.dumps(report, indent=2))
    elif report["skipped"]:
        screen.print(f"skipped, for their data is not here: {', '.join(report['skipped'])}")


def _print_skipped(absent: PeersAbsent, as_json: bool) -> None:
    reason = f"skipped: {absent}"
    print(json.dumps({"skipped": reason}, indent=2) if as_json else reason)


if __name__ == "__main__":
    main()
