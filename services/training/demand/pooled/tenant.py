"""What all of a tenant's folds together say: the members' weights, and how wide they have to be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from services.training.demand.metrics import pinball
from services.training.demand.pooled.combine import combine, shrunk_weights
from services.training.demand.pooled.spread import Seen, Spread, learn_spread
from services.training.demand.prediction import LEVELS, Floats, Prediction

_SCORED: Final = [level for level in LEVELS if 0.1 <= level <= 0.9]
_COLUMNS: Final = [LEVELS.index(level) for level in _SCORED]


@dataclass(frozen=True, slots=True, eq=False)
class Rehearsed:
    """The members' raw forecasts of one fold, always in the same order, and what then happened."""

    members: tuple[Prediction, ...]
    actual: Floats
    scored: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Mixture:
    """How a tenant's members become one forecast; JSON-able by `dataclasses.asdict`."""

    weights: tuple[float, ...]
    spread: Spread

    def apply(self, members: Sequence[Prediction]) -> Prediction:
        """Members in the order of the rehearsal."""
        return self.spread.apply(combine(members, self.weights))


def learn_mixture(rehearsed: Sequence[Rehearsed], votes: Sequence[float]) -> Mixture:
    """Weights by the members' quantile losses over all folds and by their votes beforehand, then
    the spread of their mean; the votes and spread as it is where nothing was rehearsed."""
    days = sum(int(fold.scored.sum()) for fold in rehearsed)
    losses = [sum(_loss(fold, member) for fold in rehearsed) for member in range(len(votes))]
    weights = tuple(shrunk_weights(losses, days, votes).tolist())
    seen = [Seen(combine(fold.members, weights), fold.actual, fold.scored) for fold in rehearsed]
    return Mixture(weights, learn_spread(seen))


def _loss(fold: Rehearsed, member: int) -> float:
    quantiles = fold.members[member].quantiles[fold.scored][:, _COLUMNS]
    return float(pinball(fold.actual[fold.scored], quantiles, _SCORED).sum())
