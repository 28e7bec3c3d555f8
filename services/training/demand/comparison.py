"""Is one forecaster better than another on the same days, and how sure is that?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np

from services.training.demand.prediction import Floats

_BLOCK_DAYS: Final = 7


@dataclass(frozen=True, slots=True)
class Gain:
    """`mean` loss saved a day; `standard_error` infinite when fewer than two blocks tell."""

    mean: float
    standard_error: float

    @property
    def probability(self) -> float:
        """Probability that the gain is real, under the normal approximation of the test."""
        if self.mean == 0.0:
            return 0.5
        if self.standard_error == 0.0:
            return 1.0 if self.mean > 0 else 0.0
        return NormalDist().cdf(self.mean / self.standard_error)

    def times(self, unit: float) -> Gain:
        """The gain in units that are so much smaller."""
        return Gain(unit * self.mean, unit * self.standard_error)


def informed(own: Gain, expected: Gain) -> Gain:
    """What to believe of a gain after its own few days, if `expected` was believed before: the two
    weighed by their precision, the posterior of a normal mean (Efron & Morris 1975)."""
    if own.standard_error == 0.0 or expected.standard_error == math.inf:
        return own
    if own.standard_error == math.inf:
        return expected
    trust = expected.standard_error**2 / (expected.standard_error**2 + own.standard_error**2)
    mean = trust * own.mean + (1.0 - trust) * expected.mean
    return Gain(mean, math.sqrt(trust) * own.standard_error)


def compare(reference: Sequence[Floats], challenger: Sequence[Floats]) -> Gain:
    """What the challenger saves over the reference, fold by fold on the same days.

    Diebold & Mariano (1995) on the means of blocks of seven days, because neighbouring days err
    together.
    """
    blocks: list[float] = []
    days: list[int] = []
    for before, after in zip(reference, challenger, strict=True):
        saved = before - after
        for start in range(0, len(saved), _BLOCK_DAYS):
            block = saved[start : start + _BLOCK_DAYS]
            blocks.append(float(block.mean()))
            days.append(len(block))
    if not blocks:
        return Gain(0.0, float("inf"))
    mean = float(np.average(blocks, weights=days))
    if len(blocks) < 2:
        return Gain(mean, float("inf"))
    return Gain(mean, float(np.std(blocks, ddof=1) / np.sqrt(len(blocks))))
