"""Which columns of a design one problem leaves free, and what each of them does to the mean."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.training.demand.prophet_map.design import Design, FloatArray, Growth
from services.training.demand.prophet_map.posterior import Priors

Indices = NDArray[np.intp]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Unknowns of one part of the mean: their places among the free, their columns as rows."""

    places: Indices
    rows: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """The free columns of a design; prior scales change nothing of it while they are above zero.

    The first `smooth` of the free unknowns (k, m, the coefficients of `features`) have Gaussian
    priors; the rest, rate changes, have Laplace priors. `rows` are the free columns, shape
    (free, n), and `gram` their products. The mean is trend * (1 + factor) + added.
    """

    design: Design
    free: Flags
    multiplicative: Flags
    columns: Indices
    smooth: int
    features: Indices
    rows: FloatArray
    gram: FloatArray
    trend: Part
    factor: Part
    added: Part

    def suits(self, design: Design, free: Flags, multiplicative: Flags) -> bool:
        return (
            design is self.design
            and np.array_equal(free, self.free)
            and np.array_equal(multiplicative, self.multiplicative)
        )


def lay_out(design: Design, free: Flags, multiplicative: Flags) -> Layout:
    """The layout of these free columns, shape (2 + K + S,); `multiplicative` flags features."""
    columns = np.flatnonzero(free)
    is_feature = (columns >= 2) & (columns < design.ramps_at)
    features = columns[is_feature] - 2
    is_factor = is_feature.copy()
    is_factor[is_feature] = multiplicative[features]
    rows = design.basis.T[columns]
    parts = [
        Part(places, rows[places])
        for places in map(np.flatnonzero, (~is_feature, is_factor, is_feature & ~is_factor))
    ]
    return Layout(
        design=design,
        free=free,
        multiplicative=multiplicative,
        columns=columns,
        smooth=int(np.count_nonzero(columns < design.ramps_at)),
        features=features,
        rows=rows,
        gram=design.gram[columns[:, None], columns],
        trend=parts[0],
        factor=parts[1],
        added=parts[2],
    )


def free_columns(design: Design, priors: Priors) -> Flags:
    """The columns of the basis that these priors leave free."""
    free = np.ones(design.basis.shape[1], dtype=bool)
    free[0] = design.growth is Growth.LINEAR
    free[2 : design.ramps_at] = priors.features > 0
    free[design.ramps_at :] = design.growth is Growth.LINEAR and priors.changepoint > 0
    return free
