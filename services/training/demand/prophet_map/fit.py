"""A fitted maximum: the parameters, their objective, and the mean they predict."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.training.demand.prophet_map.design import FloatArray, Growth, ramps
from services.training.demand.prophet_map.layout import Layout
from services.training.demand.prophet_map.posterior import NOISE_FLOOR


@dataclass(frozen=True, slots=True, eq=False)
class Footing:
    """What a fit that begins from another need not make again.

    `curvature` of half the squares at some fit of this layout; None where terms only add, and where
    a new one was needed last."""

    layout: Layout
    curvature: FloatArray | None


@dataclass(frozen=True, slots=True, eq=False)
class MapFit:
    """The parameters of Prophet's Stan program at the maximum, in scaled units.

    `delta` has shape (S,), `beta` and `multiplicative` (K,). `negative_log_posterior` equals minus
    the `lp__` that Prophet's Stan backend reports at the same parameters.
    """

    growth: Growth
    changepoints: FloatArray
    multiplicative: NDArray[np.bool_]
    k: float
    m: float
    delta: FloatArray
    beta: FloatArray
    sigma: float
    negative_log_posterior: float
    iterations: int
    footing: Footing | None = None

    @property
    def reproduces_history(self) -> bool:
        """Whether the terms fit the history exactly: then no maximum exists, sigma is the floor."""
        return self.sigma <= NOISE_FLOOR

    def trend(self, t: FloatArray) -> FloatArray:
        """The trend at scaled times, shape (n,)."""
        if self.growth is Growth.FLAT:
            return np.full(t.shape, self.m)
        trend: FloatArray = self.k * t + self.m + ramps(t, self.changepoints) @ self.delta
        return trend

    def factors(self, features: FloatArray) -> FloatArray:
        """What the trend is multiplied by under features (n, K), shape (n,)."""
        factors: FloatArray = 1.0 + features @ (self.beta * self.multiplicative)
        return factors

    def mean(self, t: FloatArray, features: FloatArray) -> FloatArray:
        """The expected scaled value at times (n,) with features (n, K), shape (n,)."""
        added: FloatArray = features @ (self.beta * ~self.multiplicative)
        return self.trend(t) * self.factors(features) + added
