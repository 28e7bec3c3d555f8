"""What the pool's members and Prophet answered before the contest, on days it does not judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from services.training.demand.backtest import Fold
from services.training.demand.features import prepare
from services.training.demand.model import PosedDesign, UnfittedProphet
from services.training.demand.pooled.pool import MEMBERS, FittedPool, Memories, PooledAnswer
from services.training.demand.pooled.tenant import Mixture, Rehearsed, learn_mixture
from services.training.demand.prediction import Prediction
from services.training.demand.prophet_map import MapError
from services.training.demand.prophet_pair import fit_pair

POOL_VOTES: Final = (1.0,) * len(MEMBERS)
VOTES: Final = (*POOL_VOTES, 0.3)
"""Of the pool's members and, last, Prophet, which errs more than they do on most tenants."""


@dataclass(frozen=True, slots=True)
class Mixtures:
    """`alone` of the pool's members; `beside_prophet` of these and, last, Prophet."""

    alone: Mixture
    beside_prophet: Mixture

    @classmethod
    def unrehearsed(cls) -> Self:
        """Weights by the votes alone."""
        return cls(learn_mixture([], POOL_VOTES), learn_mixture([], VOTES))


@dataclass(frozen=True, slots=True, eq=False)
class Rehearsal:
    """One fold, as the pool's members answered it; `beside_prophet` with Prophet's answer, by its
    defaults, as the last of them. None where it cannot be fitted."""

    fold: Fold
    alone: Rehearsed
    beside_prophet: Rehearsed | None


def rehearse(pool: FittedPool, folds: Sequence[Fold], past: Memories) -> list[Rehearsal]:
    """What the pool and Prophet answer at the folds' cut-offs; `past` as for `answers`."""
    answers = pool.answers([fold.series for fold in folds], past)
    return [_rehearsal(fold, answer) for fold, answer in zip(folds, answers, strict=True)]


def learn_mixtures(rehearsals: Sequence[Rehearsal]) -> Mixtures:
    """By the votes alone without any rehearsal."""
    with_prophet = [one.beside_prophet for one in rehearsals if one.beside_prophet is not None]
    return Mixtures(
        learn_mixture([one.alone for one in rehearsals], POOL_VOTES),
        learn_mixture(with_prophet, VOTES),
    )


def _rehearsal(fold: Fold, answer: PooledAnswer) -> Rehearsal:
    alone = _rehearsed(fold, answer.members)
    try:
        pair = fit_pair(UnfittedProphet(), PosedDesign(prepare(fold.series)))
    except MapError:
        return Rehearsal(fold, alone, None)
    return Rehearsal(fold, alone, _rehearsed(fold, (*answer.members, pair.predict())))


def _rehearsed(fold: Fold, members: tuple[Prediction, ...]) -> Rehearsed:
    return Rehearsed(members, fold.actual, fold.scored)
