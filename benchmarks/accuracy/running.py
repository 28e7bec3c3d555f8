"""Methods on data sets, in processes that are pinned to a core each."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing.sharedctypes import Synchronized

from rich.console import Console
from rich.progress import track

from benchmarks.accuracy.measure import Result, measure


def run(wanted: Sequence[tuple[str, str]], processes: int) -> list[Result]:
    """The result of each data set and method, in that order; progress goes to stderr."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, spawn, pin, (spawn.Value("i", 0),)) as pool:
        running = [pool.submit(measure, data_set, method) for data_set, method in wanted]
        screen = Console(stderr=True)
        for ended in track(
            as_completed(running), "Forecasting", total=len(running), console=screen
        ):
            ended.result()
    return [one.result() for one in running]


def pin(started: Synchronized[int]) -> None:
    """This process to the next core."""
    cores = sorted(os.sched_getaffinity(0), reverse=True)
    with started.get_lock():
        os.sched_setaffinity(0, {cores[started.value % len(cores)]})
        started.value += 1
