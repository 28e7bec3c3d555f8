"""The oracle of the MAP solver: the same problem, given to Prophet's own Stan backend."""

import logging
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from prophet.models import CmdStanPyBackend

from services.training.demand.prophet_map import (
    Design,
    Growth,
    MapFit,
    Priors,
    make_design,
    make_priors,
)
from services.training.demand.prophet_map.design import FloatArray, ramps

STAN_TREND = {Growth.LINEAR: 0, Growth.FLAT: 2}
# Stan's default stops where the objective still falls in its fifth digit.
TO_THE_END = {"algorithm": "Newton"}


@dataclass(frozen=True, eq=False)
class Case:
    design: Design
    priors: Priors
    multiplicative: np.ndarray


@dataclass(frozen=True, eq=False)
class Parameters:
    k: float
    m: float
    delta: FloatArray
    beta: FloatArray
    sigma: float
    lp: float


def random_case(seed: int, changepoints: int = 25) -> Case:
    """A made history of 120 to 700 days with gaps: weekday and smooth features, one regressor.

    Features add, multiply or do both in turn over seeds; every fifth trend is flat.
    """
    rng = np.random.default_rng(seed)
    days = np.sort(rng.choice(800, size=int(rng.integers(120, 700)), replace=False))
    t = (days - days[0]) / (days[-1] - days[0])
    waves = [f(2 * np.pi * days * j / 7) for j in (1, 2, 3) for f in (np.sin, np.cos)]
    waves += [f(2 * np.pi * days * j / 365.25) for j in (1, 2) for f in (np.sin, np.cos)]
    features = np.column_stack([*waves, rng.normal(size=days.size)])
    trend = 0.5 + rng.normal(0, 0.3) * t + ramps(t, np.array([0.2, 0.5])) @ rng.normal(0, 0.6, 2)
    effect = features @ rng.normal(0, 0.08, features.shape[1])
    multiplicative = rng.random(features.shape[1]) < (0.0, 1.0, 0.5)[seed % 3]
    y = trend * (1 + effect) + rng.normal(0, rng.uniform(0.03, 0.15), days.size)
    growth = Growth.FLAT if seed % 5 == 4 else Growth.LINEAR
    where = np.quantile(t, np.linspace(0, 0.8, changepoints + 1))[1:] if changepoints else [0.0]
    design = make_design(t, y / np.abs(y).max(), features, where, growth)
    scales = rng.choice([0.05, 1.0, 10.0], features.shape[1])
    return Case(design, make_priors(rng.choice([0.005, 0.05, 0.5]), scales), multiplicative)


def stan_optimum(case: Case, **options: str) -> Parameters:
    """Where Stan's optimiser ends, from Prophet's own beginning."""
    design = case.design
    rise = (design.y[-1] - design.y[0]) / (design.t[-1] - design.t[0])
    linear = design.growth is Growth.LINEAR
    start = {
        "k": rise if linear else 0.0,
        "m": design.y[0] - rise * design.t[0] if linear else design.y.mean(),
        "delta": np.zeros(design.changepoints.size),
        "beta": np.zeros(design.features.shape[1]),
        "sigma_obs": 1.0,
    }
    backend = _backend()
    found = backend.fit(start, _stan_data(case), **options)
    backend.cleanup()
    flat = {name: values.ravel() for name, values in found.items()}
    scalars = (float(flat[name][0]) for name in ("k", "m"))
    k, m = scalars
    sigma, lp = float(flat["sigma_obs"][0]), float(flat["lp__"][0])
    return Parameters(k, m, flat["delta"], flat["beta"], sigma, lp)


def negative_log_posterior(case: Case, at: Parameters | MapFit) -> float:
    """Prophet's Stan program, written out once more."""
    y, sigma = case.design.y, at.sigma
    residual = y - mean_of(case, at, case.design.t, case.design.features)
    value = y.size * np.log(sigma) + residual @ residual / (2 * sigma**2) + 2 * sigma**2
    value += (at.k**2 + at.m**2) / 50 + np.abs(at.delta).sum() / case.priors.changepoint
    return float(value + ((at.beta / case.priors.features) ** 2).sum() / 2)


def mean_of(case: Case, at: Parameters | MapFit, t: FloatArray, features: FloatArray) -> FloatArray:
    linear = at.k * t + np.maximum(t[:, None] - case.design.changepoints, 0) @ at.delta
    trend = at.m + (linear if case.design.growth is Growth.LINEAR else 0.0)
    flags = case.multiplicative
    factors = 1 + features[:, flags] @ at.beta[flags]
    return trend * factors + features[:, ~flags] @ at.beta[~flags]


def _stan_data(case: Case) -> dict[str, object]:
    design, flags = case.design, case.multiplicative
    return {
        "T": design.t.size,
        "S": design.changepoints.size,
        "K": design.features.shape[1],
        "tau": case.priors.changepoint,
        "trend_indicator": STAN_TREND[design.growth],
        "y": design.y,
        "t": design.t,
        "cap": np.zeros(design.t.size),
        "t_change": design.changepoints,
        "s_a": (~flags).astype(int),
        "s_m": flags.astype(int),
        "X": pd.DataFrame(design.features),
        "sigmas": case.priors.features.tolist(),
    }


@cache
def _backend() -> CmdStanPyBackend:
    backend = CmdStanPyBackend()
    logging.getLogger("cmdstanpy").disabled = True
    return backend
