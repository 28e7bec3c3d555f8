"""One method on one data set: its scores and what they cost."""

from __future__ import annotations

import resource
from dataclasses import dataclass

from benchmarks.accuracy.methods import METHODS
from benchmarks.accuracy.origins import read_data_set
from benchmarks.accuracy.protocol import SEED, DataSet
from benchmarks.accuracy.scores import Scores, score


@dataclass(frozen=True, slots=True)
class Result:
    """`cpu_seconds` a series and origin, of this process and its children."""

    data_set: str
    method: str
    series: int
    scores: Scores
    cpu_seconds: float


def measure(data_set: str, method: str) -> Result:
    """Reads the data set, lets the method forecast at each origin, scores it."""
    return measure_on(read_data_set(data_set), method)


def measure_on(data: DataSet, method: str) -> Result:
    cases = [case for origin in data.origins for case in origin]
    before = _cpu_seconds()
    predictions = [
        prediction
        for origin in data.origins
        for prediction in METHODS[method]([case.series for case in origin], SEED)
    ]
    spent = _cpu_seconds() - before
    return Result(
        data.name, method, data.series_count, score(cases, predictions), spent / len(cases)
    )


def _cpu_seconds() -> float:
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
