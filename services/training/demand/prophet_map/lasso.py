"""A small quadratic with absolute values: min 1/2 x'Ax - b'x + weight * sum |x_j|, exactly."""

import numpy as np

from services.training.demand.prophet_map.design import FloatArray

# A gradient this little above the weight is rounding, not a reason to free another unknown.
_SLACK = 1e-9
_PIVOTS_PER_UNKNOWN = 20


def minimise_lasso(
    matrix: FloatArray, linear: FloatArray, weight: float, start: FloatArray
) -> FloatArray:
    """The minimiser, by a primal active set that starts from `start`'s signs.

    `matrix` is symmetric positive definite, shape (S, S). Feature-sign search (Lee, Battle, Raina,
    Ng 2007) with steps cut at the first sign change: every step descends, so the value is never
    above that of `start`, and the end satisfies the optimality conditions unless the pivots run
    out, which the caller sees as a gap that is still open.
    """
    x = start.copy()
    active = np.flatnonzero(x)
    signs = np.sign(x[active])
    for _ in range(_PIVOTS_PER_UNKNOWN * (x.size + 1)):
        if active.size:
            active, signs, whole = _towards_optimum(matrix, linear, weight, x, active, signs)
            if not whole:
                continue
        if active.size == x.size:
            break
        gradient = linear - matrix @ x
        excess = np.abs(gradient)
        excess[active] = 0.0
        worst = int(excess.argmax())
        if excess[worst] <= weight * (1.0 + _SLACK):
            break
        active = np.append(active, worst)
        signs = np.append(signs, np.sign(gradient[worst]))
    return x


def _towards_optimum(
    matrix: FloatArray,
    linear: FloatArray,
    weight: float,
    x: FloatArray,
    active: np.ndarray[tuple[int], np.dtype[np.intp]],
    signs: FloatArray,
) -> tuple[np.ndarray[tuple[int], np.dtype[np.intp]], FloatArray, bool]:
    """Move x, in place, to the optimum of its signs, or to the first that would turn; free that."""
    target = np.linalg.solve(matrix[active[:, None], active], linear[active] - weight * signs)
    turning = np.flatnonzero(target * signs <= 0)
    if not turning.size:
        x[active] = target
        return active, signs, True
    now = x[active]
    whole_way = now[turning] - target[turning]
    fractions = np.divide(now[turning], whole_way, out=np.zeros(turning.size), where=whole_way != 0)
    first = int(fractions.argmin())
    x[active] = now + fractions[first] * (target - now)
    x[active[turning[first]]] = 0.0
    keep = np.arange(active.size) != turning[first]
    return active[keep], signs[keep], False
