"""Prophet's log posterior, as its Stan program writes it, and the noise scale that maximises it.

    y ~ normal(trend * (1 + X_m beta_m) + X_a beta_a, sigma)     k, m ~ normal(0, 5)
    delta ~ double_exponential(0, tau)   beta_j ~ normal(0, scale_j)   sigma ~ half-normal(0, 0.5)

Constants are dropped exactly where Stan drops them, and the density is that of sigma itself (no
Jacobian), as Stan's optimiser has it: the negative of `lp__` in Prophet's own fits is this value.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from services.training.demand.prophet_map.design import FloatArray
from services.training.demand.prophet_map.errors import BadDesignError

TREND_PRECISION = 1.0 / 5.0**2
NOISE_PRECISION = 1.0 / 0.5**2
NOISE_FLOOR = 1e-9  # what Prophet itself reports for a series it can reproduce exactly


@dataclass(frozen=True, slots=True, eq=False)
class Priors:
    """Prior scales: of the rate changes, and of each feature's coefficient, shape (K,).

    A scale of 0 is the limit in which the term is left out: the coefficient is exactly 0.
    """

    changepoint: float
    features: FloatArray


def make_priors(changepoint: float, features: ArrayLike) -> Priors:
    """Checked priors; raises BadDesignError for a scale that is negative or not finite."""
    scales = np.asarray(features, dtype=np.float64)
    if scales.ndim != 1 or not ((scales >= 0) & np.isfinite(scales)).all():
        raise BadDesignError(
            "prior scales of features", f"need a row of finite values >= 0: {scales}"
        )
    if not 0 <= changepoint < np.inf:
        raise BadDesignError(
            "changepoint prior scale", f"is {changepoint}, needs a finite value >= 0"
        )
    return Priors(float(changepoint), scales)


def noise_terms(squares: float, variance: float, rows: int) -> float:
    """n log sigma + squares / (2 sigma^2) + sigma^2 / (2 * 0.5^2)."""
    spread = 0.5 * rows * math.log(variance) + 0.5 * NOISE_PRECISION * variance
    return spread + 0.5 * squares / variance


def best_variance(squares: float, rows: int) -> float:
    """The sigma^2 that minimises `noise_terms`: the positive root of 4 v^2 + n v = squares.

    In the form that does not cancel, and never below the floor, because a history that can be
    reproduced exactly has no maximum.
    """
    root = math.sqrt(rows * rows + 4.0 * NOISE_PRECISION * squares)
    return max(2.0 * squares / (rows + root), NOISE_FLOOR**2)


def noise_bend(variance: float, rows: int) -> float:
    """How much the best noise scale bends the squares: c in -c g g', g the half squares' gradient.

    Scaled by sigma^2 like the squares themselves; from d(sigma^2)/d(squares) = 1 / (n + 8 sigma^2).
    """
    return 2.0 / (variance * (rows + 2.0 * NOISE_PRECISION * variance))
