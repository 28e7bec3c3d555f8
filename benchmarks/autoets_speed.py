"""Our whole search beside one fit of `statsforecast`'s AutoETS on the same series: JSON.

    python -m benchmarks.autoets_speed [--rounds 5]

The made product of `search_speed`, and two years of one real product of each data set that is
there. Ours is that benchmark's search: 30 trials × 3 folds, the final fit and the forecast. Theirs
is one `AutoETS(season_length=7).fit` and its forecast, closed days filled, in the peers' own
environment, after a fit that is not counted. Both on one core with one thread, in processor time.

times_faster   median seconds of AutoETS over those of our search, by series
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
import json
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.progress import track

from benchmarks.accuracy.origins import read_data_set
from benchmarks.accuracy.peers.environment import interpreter, single_threaded
from benchmarks.accuracy.protocol import DataSet
from benchmarks.accuracy.regular import regular_sales
from benchmarks.real_data import DATA_SETS, DataSetAbsent
from benchmarks.search_speed import (
    DAYS,
    FOLDS,
    HORIZON,
    TRIALS,
    pin,
    search_and_forecast,
    seconds,
    two_years,
)
from services.training.demand.series import Series

PROGRAM = Path(__file__).parent / "accuracy" / "peers" / "time_autoets.py"
MADE = "made from a seed"
Times = Mapping[str, list[float]]


def run(rounds: int = 5) -> dict[str, object]:
    """Every figure; raises `PeersNotInstalled`."""
    interpreter()
    pin()
    real, skipped = real_series()
    series = {MADE: two_years(), **real}
    ours, autoets = time_ours(series, rounds), time_autoets(series, rounds)
    ratios = {name: median(autoets[name]) / median(ours[name]) for name in series}
    return {
        "trials": TRIALS,
        "folds": FOLDS,
        "search_s": medians(ours),
        "autoets_fit_s": medians(autoets),
        "times_faster": {name: round(ratio, 2) for name, ratio in ratios.items()},
        "times_faster_median": round(median(ratios.values()), 2),
        "times_faster_least": round(min(ratios.values()), 2),
        "skipped": skipped,
    }


def real_series() -> tuple[dict[str, Series], dict[str, str]]:
    """By data set, its product of middle volume with two years of days; why others have none."""
    found: dict[str, Series] = {}
    skipped: dict[str, str] = {}
    for name in track(DATA_SETS, "Reading data sets", console=Console(stderr=True)):
        try:
            found[name] = middle_series(read_data_set(name))
        except (DataSetAbsent, TooShort) as reason:
            skipped[name] = str(reason)
    return found, skipped


class TooShort(LookupError):
    def __init__(self) -> None:
        super().__init__(f"no product has {DAYS} days")


def middle_series(data: DataSet) -> Series:
    long = [case.series for case in data.origins[-1] if len(case.series.history) >= DAYS]
    if not long:
        raise TooShort
    series = sorted(long, key=lambda one: one.history["quantity"].mean())[len(long) // 2]
    return replace(series, history=series.history.iloc[-DAYS:])


def time_ours(series: Mapping[str, Series], rounds: int) -> Times:
    return {name: time_search(one, rounds) for name, one in series.items()}


def time_search(series: Series, rounds: int) -> list[float]:
    search_and_forecast(series)
    return [seconds(lambda: search_and_forecast(series)) for _ in range(rounds)]


def time_autoets(series: Mapping[str, Series], rounds: int) -> Times:
    filled = {name: regular_sales(one).tolist() for name, one in series.items()}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"horizon": HORIZON, "series": filled}, file)
        file.flush()
        command = [str(interpreter()), str(PROGRAM), file.name, str(rounds)]
        made = subprocess.run(  # noqa: S603 - our own program
            command, check=True, env=single_threaded(), stdout=subprocess.PIPE
        )
    times: Times = json.loads(made.stdout)
    return times


def medians(times: Times) -> dict[str, float]:
    return {name: round(median(values), 4) for name, values in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="searches and fits timed a series")
    print(json.dumps(run(parser.parse_args().rounds), indent=2))


if __name__ == "__main__":
    main()
