"""Seconds that AutoETS takes for one fit and its forecast; runs in the peers' environment.

    time_autoets.py SERIES.json ROUNDS

The file holds {"horizon": days, "series": {name: [quantity a day, without gaps]}}; this prints
{name: [processor seconds a round]} as JSON. A first fit is not counted: it loads and compiles.
"""

import json
import os
import sys
import time
from pathlib import Path

import numpy as np
from statsforecast.models import AutoETS

WEEK = 7


def main() -> None:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    asked, rounds = json.loads(Path(sys.argv[1]).read_text()), int(sys.argv[2])
    series = {name: np.array(values) for name, values in asked["series"].items()}
    seconds_of(next(iter(series.values())), asked["horizon"])
    taken = {
        name: [seconds_of(quantity, asked["horizon"]) for _ in range(rounds)]
        for name, quantity in series.items()
    }
    print(json.dumps(taken))


def seconds_of(quantity: np.ndarray, horizon: int) -> float:
    begin = time.process_time()
    AutoETS(season_length=WEEK).fit(quantity).predict(h=horizon)
    return time.process_time() - begin


if __name__ == "__main__":
    main()
