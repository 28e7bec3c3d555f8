"""Several families' answers as one: the mean of their quantiles, weighted by what all folds say.

Averaging quantiles level by level keeps the members' shape and a spread between theirs
(Lichtendahl, Grushka-Cockayne & Winkler 2013). Weights learnt on the few folds of one series do
not beat equal ones; the folds of all of a tenant's series together tell a member that fails there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from services.training.demand.prediction import Floats, Prediction

PRIOR_DAYS: Final = 50
"""Scored days at which learnt weights and the votes beforehand count the same."""
_SHARPNESS: Final = 30


def combine(members: Sequence[Prediction], weights: Sequence[float] | None = None) -> Prediction:
    """The weighted mean of members for the same days; of equal weights where none are given."""
    share = np.full(len(members), 1.0) if weights is None else np.asarray(weights, dtype=float)
    share = share / share.sum()
    mean = np.tensordot(share, np.stack([member.mean for member in members]), axes=1)
    quantiles = np.tensordot(share, np.stack([member.quantiles for member in members]), axes=1)
    return Prediction(mean, np.maximum.accumulate(quantiles, axis=1))


def shrunk_weights(losses: Sequence[float], days: int, votes: Sequence[float]) -> Floats:
    """Weights from the members' losses on the same `days` scored days, and from the votes that each
    has beforehand; they sum to 1.

    A power of the inverse losses (Bates & Granger 1969; members whose errors are nearly the same
    need more than the first) times the votes, drawn towards these as if `PRIOR_DAYS` more days had
    shown no difference. A loss of 0 everywhere, or of no days, gives each its share of the votes.
    """
    share = np.asarray(votes, dtype=np.float64) / sum(votes)
    known = np.asarray(losses, dtype=np.float64)
    if days <= 0 or not (known > 0).all():
        return share
    inverse = share * (known.min() / known) ** _SHARPNESS
    trust = days / (days + PRIOR_DAYS)
    weights: Floats = trust * inverse / inverse.sum() + (1.0 - trust) * share
    return weights
