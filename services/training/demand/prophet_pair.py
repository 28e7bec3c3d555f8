"""Prophet in both its modes under the same parameters: their mean errs less than either."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from services.training.demand.model import FittedProphet, Mode, PosedDesign, UnfittedProphet
from services.training.demand.pooled.combine import combine
from services.training.demand.prediction import Floats, Prediction
from services.training.demand.prophet_json import from_dict, to_dict

MODES: Final[tuple[Mode, Mode]] = ("additive", "multiplicative")
FLOOR: Final = "floor_at_zero"


@dataclass(frozen=True, slots=True, eq=False)
class ProphetPair:
    """A fit in each mode; a forecast below zero counts as zero before the mean is taken."""

    additive: FittedProphet
    multiplicative: FittedProphet

    @property
    def both(self) -> tuple[FittedProphet, FittedProphet]:
        return self.additive, self.multiplicative

    def predict(self) -> Prediction:
        """Mean and quantiles for the days ahead, never negative."""
        return combine([_never_negative(fitted.predict()) for fitted in self.both])

    def parts(self) -> dict[str, Floats]:
        """Additive parts by name, in units, that sum to the mean of `predict`."""
        parts: dict[str, Floats] = {}
        for fitted in self.both:
            own = fitted.parts()
            below = -np.minimum(np.sum(list(own.values()), axis=0), 0.0)
            for name, values in ({**own, FLOOR: below} if below.any() else own).items():
                parts[name] = parts.get(name, 0.0) + 0.5 * values
        return parts

    def to_dict(self) -> dict[str, object]:
        """Prophet's own serialisation of each mode."""
        return {mode: to_dict(fit) for mode, fit in zip(MODES, self.both, strict=True)}


def fit_pair(unfitted: UnfittedProphet, posed: PosedDesign) -> ProphetPair:
    """The maximum a posteriori in each mode. Raises `MapError`."""
    additive, multiplicative = (replace(unfitted, seasonality_mode=mode) for mode in MODES)
    first = additive.fit(posed)
    return ProphetPair(first, multiplicative.fit(posed, start=first))


def pair_from_dict(
    content: Mapping[str, object], unfitted: UnfittedProphet, posed: PosedDesign
) -> ProphetPair:
    """The pair that `to_dict` wrote, of the same parameters and design."""
    fits = []
    for mode in MODES:
        saved = content[mode]
        assert isinstance(saved, dict)
        fits.append(from_dict(saved, replace(unfitted, seasonality_mode=mode), posed))
    return ProphetPair(*fits)


def _never_negative(prediction: Prediction) -> Prediction:
    return Prediction(np.maximum(prediction.mean, 0.0), np.maximum(prediction.quantiles, 0.0))
