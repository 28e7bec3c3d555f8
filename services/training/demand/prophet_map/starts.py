"""Where a descent begins when no earlier fit says so.

An additive problem has one descent. A product of trend and factors can have several ends where the
history is short or does not tell its columns apart (a yearly term on half a year); there more
beginnings are tried. Over some 800 multiplicative fits of real sales, all with a yearly term, the
three below ended above Prophet's own optimiser once, on 46 days; the first alone did so 27 times.
"""

import numpy as np

from services.training.demand.prophet_map.descent import descend, point_at
from services.training.demand.prophet_map.design import FloatArray
from services.training.demand.prophet_map.mean import Additive, Bilinear, Mean
from services.training.demand.prophet_map.problem import Point, Problem

_ROUGHLY = 1e-3
_INFLATION_LIMIT = 100.0
_ROWS_PER_UNKNOWN = 10
_LINE_SHARES = (0.1, -1.0)


def starting_points(problem: Problem, mean: Mean) -> list[Point]:
    """The points to descend from, best guess first."""
    if not isinstance(mean, Bilinear):
        return [point_at(problem, mean, np.zeros(problem.columns.size))]
    first = _from_additive_fit(problem, mean)
    if is_determined(problem, first.variance):
        return [first]
    return [first, *(_line(problem, mean, share) for share in _LINE_SHARES)]


def is_determined(problem: Problem, variance: float) -> bool:
    """Whether the history is long enough, and its columns different enough, for a single end."""
    enough_rows = problem.y.size >= _ROWS_PER_UNKNOWN * problem.smooth
    return enough_rows and variance_inflation(problem, variance) <= _INFLATION_LIMIT


def variance_inflation(problem: Problem, variance: float) -> float:
    """How many times the worst-determined smooth unknown's variance exceeds its variance alone.

    The variance inflation factor, of the posterior: priors count as observations do.
    """
    precision = problem.gram[: problem.smooth, : problem.smooth].copy()
    diagonal = np.einsum("ii->i", precision)
    diagonal += variance * problem.precision
    diagonal *= 1.0 + 1e-12
    return float((diagonal * np.einsum("ii->i", np.linalg.inv(precision))).max())


def _from_additive_fit(problem: Problem, mean: Bilinear) -> Point:
    """The additive fit, with what it adds divided by the mean trend, or without it if better."""
    added = Additive(problem)
    nothing = point_at(problem, added, np.zeros(problem.columns.size))
    fit, _ = descend(problem, added, nothing, _ROUGHLY)
    level = float(mean.parts(fit.unknowns)[0].mean())
    shares = (0.0, 1.0 / level) if level else (0.0,)
    starts = (_with_factors(problem, mean, fit.unknowns, share) for share in shares)
    return min(starts, key=lambda point: point.objective)


def _with_factors(problem: Problem, mean: Bilinear, unknowns: FloatArray, share: float) -> Point:
    scaled = unknowns.copy()
    scaled[problem.multiplicative] *= share
    return point_at(problem, mean, scaled)


def _line(problem: Problem, mean: Bilinear, share: float) -> Point:
    """A share of the least-squares line through the history, and nothing else."""
    unknowns = np.zeros(problem.columns.size)
    trend = np.flatnonzero(problem.columns < 2)
    line, *_ = np.linalg.lstsq(problem.basis[:, trend], problem.y, rcond=None)
    unknowns[trend] = share * line
    return point_at(problem, mean, unknowns)
