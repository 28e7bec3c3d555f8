"""What can keep the MAP problem from being posed or solved; every error carries its data."""


class MapError(Exception):
    """Anything that stops a maximum-a-posteriori fit from being made."""


class BadDesignError(MapError, ValueError):
    """The arrays do not pose a MAP problem."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class NotSupportedError(MapError):
    """The model is Prophet's, but not one this solver solves."""

    def __init__(self, feature: str) -> None:
        super().__init__(
            f"{feature}: the MAP solver does linear and flat growth, without sampling and without"
            " Stan's options; fit this with Prophet's own backend"
        )
        self.feature = feature


class NotConvergedError(MapError):
    """No further descent was found although the optimality gap is not closed."""

    def __init__(self, iterations: int, gap: float) -> None:
        super().__init__(
            f"the MAP descent ended after {iterations} iterations with a gain of {gap:.3g} still"
            " expected; look for regressors of wildly different scales, or standardise them"
        )
        self.iterations = iterations
        self.gap = gap
