"""`python -m benchmarks.accuracy.development`: compare methods before the days that judge them.

Every origin of the protocol is moved back, by 56 days so that the last development day is the
first test origin. Prints the change of WQL and WAPE against the first method named, in per cent of
the geometric mean over data sets, with its standard error over series. Peers' published scores
hold for other days and are not read.
"""

from __future__ import annotations

import argparse
import json
import math
import os
from collections.abc import Sequence

import pandas as pd

from benchmarks.accuracy.methods import METHODS
from benchmarks.accuracy.origins import read_data_set
from benchmarks.accuracy.protocol import SEED, DataSet
from benchmarks.accuracy.scores import scored_days
from benchmarks.real_data import DATA_SETS

TEST_DAYS = 56
_METRICS = {"WQL": "loss", "WAPE": "miss"}

Sums = pd.DataFrame
"""By series: the quantile loss and the absolute error of all its scored days."""


def main() -> None:
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    asked = _arguments()
    found = {name: _sums_by_method(name, asked.methods, asked.days_earlier) for name in asked.sets}
    sums = {name: by_method for name, by_method in found.items() if by_method}
    first, *others = asked.methods
    changes = {
        method: {
            metric: change([(own[method][column], own[first][column]) for own in sums.values()])
            for metric, column in _METRICS.items()
        }
        for method in others
    }
    print(json.dumps({"against": first, "sets": list(sums), "per_cent": changes}, indent=2))


def change(pairs: Sequence[tuple[pd.Series, pd.Series]]) -> dict[str, float]:
    """Of each data set the losses by series of a method and of the reference: the mean logarithm of
    the ratio of their sums, and its standard error by the delta method, both times 100."""
    logarithms, variances = [], []
    for own, reference in pairs:
        ratio = own.sum() / reference.sum()
        residual = own - ratio * reference
        count = len(own)
        logarithms.append(math.log(ratio))
        variances.append(count / max(count - 1, 1) * float((residual**2).sum()) / own.sum() ** 2)
    return {
        "change": round(100.0 * sum(logarithms) / len(pairs), 2),
        "standard_error": round(100.0 * math.sqrt(sum(variances)) / len(pairs), 2),
    }


def _sums_by_method(name: str, methods: Sequence[str], days_earlier: int) -> dict[str, Sums]:
    """Nothing where no series is long enough so much earlier."""
    data = read_data_set(name, days_earlier=days_earlier)
    if not any(data.origins):
        return {}
    return {method: _sums(data, method) for method in methods}


def _sums(data: DataSet, method: str) -> Sums:
    days = [
        scored_days(case, prediction)
        for cases in data.origins
        if cases
        for case, prediction in zip(
            cases, METHODS[method]([case.series for case in cases], SEED), strict=True
        )
    ]
    return pd.concat(days).groupby("series")[list(_METRICS.values())].sum()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.accuracy.development", description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=list(DATA_SETS), required=True, metavar="SET")
    parser.add_argument(
        "--methods", nargs="+", choices=METHODS, required=True, metavar="METHOD",
        help=f"the first is what the others are compared with; {', '.join(METHODS)}",
    )  # fmt: skip
    parser.add_argument("--days-earlier", type=int, default=TEST_DAYS, metavar="DAYS")
    return parser.parse_args()


if __name__ == "__main__":
    main()
