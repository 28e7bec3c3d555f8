"""How much faster one fit is than through Prophet's Stan backend: JSON with medians and ratios.

    python -m benchmarks.fit_speed [--fits 60]

Two years of daily sales of the sample kind, made from a seed: yearly and weekly terms and two
regressors, and the same with multiplicative terms. Pinned to one core, one BLAS thread. Times are
of the processor, Stan's processes included, so that a busy machine does not count; all are of the
same Prophet model on the same frame:

stan          `prophet.Prophet.fit` with its own backend
prophet_map   `MapProphet.fit`: Prophet's preprocessing, then our solver
arrays        Gram matrices and solution from scaled arrays, as the search does for a new fold
trial         `solve` alone on a design that is there, as for each further trial
warm_trial    the same, from the fit of another trial
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
import json
import logging
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import pandas as pd
from prophet import Prophet

from benchmarks.search_speed import processor_time
from services.training.demand.prophet_map import Design, make_design, make_priors, solve
from services.training.demand.prophet_map.backend import MapProphet

DAYS = 730
MODES = ("additive", "multiplicative")
Case = TypeVar("Case")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fits", type=int, default=60, help="fits timed of each kind")
    fits = parser.parse_args().fits
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    for name in ("cmdstanpy", "prophet", "prophet.models"):
        logging.getLogger(name).disabled = True
    print(json.dumps({mode: measure(mode, fits) for mode in MODES}, indent=2))


def measure(mode: str, fits: int) -> dict[str, object]:
    frames = [two_years(seed) for seed in range(6)]
    posed = [pose(mode, frame) for frame in frames]
    times = {
        "stan": median_ms(fits, frames, lambda frame: assemble(Prophet, mode).fit(frame)),
        "prophet_map": median_ms(fits, frames, lambda frame: assemble(MapProphet, mode).fit(frame)),
        "arrays": median_ms(10 * fits, posed, solve_from_arrays),
        "trial": median_ms(10 * fits, posed, solve_posed),
        "warm_trial": median_ms(10 * fits, posed, solve_warm),
    }
    return {
        "median_ms": {name: round(value, 3) for name, value in times.items()},
        "times_faster_than_stan": {
            name: round(times["stan"] / value, 1) for name, value in times.items() if name != "stan"
        },
        "negative_log_posterior_minus_stans": [
            round(excess_over_stan(mode, *pair), 4) for pair in zip(frames, posed, strict=True)
        ],
    }


class Posed:
    """One frame's problem as arrays, and the fit of another trial to start from."""

    def __init__(self, design: Design, scales: np.ndarray, flags: np.ndarray) -> None:
        self.design, self.flags = design, flags
        self.priors = make_priors(0.05, scales)
        self.earlier = solve(design, make_priors(0.2, 0.3 * scales), flags)


def solve_from_arrays(posed: Posed) -> object:
    old = posed.design
    design = make_design(old.t, old.y, old.features, old.changepoints, old.growth)
    return solve(design, posed.priors, posed.flags)


def solve_posed(posed: Posed) -> object:
    return solve(posed.design, posed.priors, posed.flags)


def solve_warm(posed: Posed) -> object:
    return solve(posed.design, posed.priors, posed.flags, start=posed.earlier)


def excess_over_stan(mode: str, frame: pd.DataFrame, posed: Posed) -> float:
    stan = assemble(Prophet, mode).fit(frame).params["lp__"].item()
    return solve(posed.design, posed.priors, posed.flags).negative_log_posterior + float(stan)


def pose(mode: str, frame: pd.DataFrame) -> Posed:
    given = assemble(Prophet, mode).preprocess(frame)
    design = make_design(given.t, given.y, np.asarray(given.X), given.t_change)
    return Posed(design, np.asarray(given.sigmas), np.asarray(given.s_m) > 0)


def assemble(make: type[Prophet], mode: str) -> Prophet:
    model = make(yearly_seasonality=10, seasonality_mode=mode, uncertainty_samples=0)
    model.add_regressor("rain")
    model.add_regressor("promotion")
    return model


def two_years(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    ds = pd.date_range("2024-01-01", periods=DAYS)
    rain, promotion = rng.gamma(1.0, 3.0, DAYS), (rng.random(DAYS) < 0.1).astype(float)
    level = 60 + np.cumsum(rng.normal(0, 0.15, DAYS))
    season = 1 + 0.2 * np.sin(2 * np.pi * ds.day_of_year / 365.25) + 0.3 * (ds.day_of_week >= 5)
    y = rng.poisson(np.maximum(level * season * (1 + 0.4 * promotion) - rain, 1.0))
    return pd.DataFrame({"ds": ds, "y": y, "rain": rain, "promotion": promotion})


def median_ms(count: int, cases: list[Case], fit: Callable[[Case], object]) -> float:
    fit(cases[0])
    times = []
    for turn in range(count):
        begin = processor_time()
        fit(cases[turn % len(cases)])
        times.append(processor_time() - begin)
    return float(np.median(times)) * 1e3


if __name__ == "__main__":
    main()
