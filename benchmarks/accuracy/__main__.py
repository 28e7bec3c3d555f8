"""`python -m benchmarks.accuracy`: run methods on real data sets by the protocol.

Prints a table of the ratios to the best single peer; with `--json` all figures as JSON. Progress
goes to stderr.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed

from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.accuracy.measure import Result, measure
from benchmarks.accuracy.methods import METHODS
from benchmarks.accuracy.published import Published, read_published
from benchmarks.accuracy.report import report_of

DEFAULT_METHODS = ("snaive7", "dow4", "default_prophet", "prophet", "pooled", "combine")
MOST_PROCESSES = 2


def main() -> None:
    # Read when a library is loaded: by the processes that this one starts.
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    published = read_published()
    asked = _arguments(published)
    wanted = [(data_set, method) for data_set in asked.sets for method in asked.methods]
    done = list(_run(wanted, asked.processes))
    results = sorted(done, key=lambda result: wanted.index((result.data_set, result.method)))
    if asked.json:
        print(json.dumps(report_of(results, published), indent=2))
    else:
        Console().print(_table(results, published))


def _arguments(published: Published) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.accuracy", description=__doc__)
    sets, methods = published.data_sets, list(METHODS)
    parser.add_argument("--sets", nargs="+", choices=sets, default=sets, metavar="SET")
    parser.add_argument(
        "--methods", nargs="+", choices=methods, default=DEFAULT_METHODS, metavar="METHOD",
        help=", ".join(methods),
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print every figure as JSON")
    parser.add_argument("--processes", type=int, choices=range(1, MOST_PROCESSES + 1), default=1)
    return parser.parse_args()


def _run(wanted: Sequence[tuple[str, str]], processes: int) -> Iterator[Result]:
    """The results as they come, each from a process that is new to its data set's size."""
    screen = Console(stderr=True)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=spawn) as pool:
        running = [pool.submit(measure, data_set, method) for data_set, method in wanted]
        ended = as_completed(running)
        for future in track(ended, "Forecasting", total=len(running), console=screen):
            yield future.result()


def _table(results: Sequence[Result], published: Published) -> Table:
    table = Table("data set", "method", "WQL", "to best", "WAPE", "to best", "cov80", "CPU s")
    for result in results:
        scores, name = result.scores, result.data_set
        wql = scores.wql / published.best_single(name, "WQL")[1]
        wape = scores.wape / published.best_single(name, "WAPE")[1]
        cells = (scores.wql, wql, scores.wape, wape, scores.coverage80, result.cpu_seconds)
        table.add_row(name, result.method, *(f"{cell:.3f}" for cell in cells))
    return table


if __name__ == "__main__":
    main()
