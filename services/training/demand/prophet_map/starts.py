"""Where a descent begins when no earlier fit says so.

An additive problem has one descent. A product of trend and factors can have several ends where the
history is short or does not tell its columns apart (a yearly term on half a year); there more
beginnings are tried. Over some 800 multiplicative fits of real sales, all with a yearly term, the
three below ended above Prophet's own optimiser once, on 46 days; the first alone did so 27 times.
"""

import numpy as np

from services.training.demand.prophet_map.descent import descend
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
        return [mean.point(np.zeros(problem.layout.columns.size))]
    first = _from_additive_fit(problem, mean)
    if is_determined(problem, first.variance):
        return [first]
    return [first, *(_line(problem, mean, share) for share in _LINE_SHARES)]


def is_determined(problem: Problem, variance: float) -> bool:
    """Whether the history is long enough, and its columns different enough, for a single end."""
    enough_rows = problem.y.size >= _ROWS_PER_UNKNOWN * problem.layout.smooth
    return enough_rows and variance_inflation(problem, variance) <= _INFLATION_LIMIT


def variance_inflation(problem: Problem, variance: float) -> float:
    """How many times the worst-determined smooth unknown's variance exceeds its variance alone.

    The variance inflation factor, of the posterior: priors count as observations do.
    """
    smooth = problem.layout.smooth
    precision = problem.layout.gram[:smooth, :smooth].copy()
    diagonal = np.einsum("ii->i", precision)
    diagonal += variance * problem.precision
    diagonal *= 1.0 + 1e-12
    return float((diagonal * np.einsum("ii->i", np.linalg.inv(precision))).max())


def _from_additive_fit(problem: Problem, mean: Bilinear) -> Point:
    """The additive fit, with what it adds divided by the mean trend, or without it if better."""
    added = Additive(problem)
    nothing = added.point(np.zeros(problem.layout.columns.size))
    fit, _ = descend(problem, added, nothing, _ROUGHLY)
    level = float(mean.trend(fit.unknowns).mean())
    shares = (0.0, 1.0 / level) if level else (0.0,)
    starts = (_with_factors(problem, mean, fit.unknowns, share) for share in shares)
    return min(starts, key=lambda point: point.objective)


def _with_factors(problem: Problem, mean: Bilinear, unknowns: FloatArray, share: float) -> Point:
    scaled = unknowns.copy()
    scaled[problem.layout.factor.places] *= share
    return mean.point(scaled)


def _line(problem: Problem, mean: Bilinear, share: float) -> Point:
    """A share of the least-squares line through the history, and nothing else."""
    layout = problem.layout
    unknowns = np.zeros(layout.columns.size)
    trend = np.flatnonzero(layout.columns < 2)
    line, *_ = np.linalg.lstsq(layout.rows[trend].T, problem.y, rcond=None)
    unknowns[trend] = share * line
    return mean.point(unknowns)
