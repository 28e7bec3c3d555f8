"""What the pool's members and Prophet answered before the contest, on days it does not judge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from services.training.demand.backtest import Fold
from services.training.demand.features import prepare
from services.training.demand.model import PosedDesign, UnfittedProphet
from services.training.demand.pooled.pool import MEMBERS, FittedPool, PooledAnswer
from services.training.demand.pooled.tenant import Mixture, Rehearsed, learn_mixture
from services.training.demand.prediction import Prediction
from services.training.demand.prophet_map import MapError
from services.training.demand.prophet_pair import fit_pair


@dataclass(frozen=True, slots=True)
class Mixtures:
    """`alone` of the pool's members; `beside_prophet` of these and, last, Prophet."""

    alone: Mixture
    beside_prophet: Mixture

    @classmethod
    def equal(cls) -> Self:
        """Equal weights: nothing was rehearsed."""
        return cls(learn_mixture([], len(MEMBERS)), learn_mixture([], len(MEMBERS) + 1))


def learn_mixtures(pool: FittedPool, folds: Sequence[Fold]) -> Mixtures:
    """From the pool's and Prophet's answers at the folds' cut-offs; Prophet with its defaults.
    Equal weights without any fold."""
    answers = pool.answers([fold.series for fold in folds])
    alone = [_rehearsed(fold, answer.members) for fold, answer in zip(folds, answers, strict=True)]
    return Mixtures(
        learn_mixture(alone, len(MEMBERS)),
        learn_mixture(list(_beside_prophet(folds, answers)), len(MEMBERS) + 1),
    )


def _beside_prophet(folds: Sequence[Fold], answers: Sequence[PooledAnswer]) -> Iterator[Rehearsed]:
    """The folds that Prophet can be fitted to, for which it need not."""
    for fold, answer in zip(folds, answers, strict=True):
        try:
            pair = fit_pair(UnfittedProphet(), PosedDesign(prepare(fold.series)))
        except MapError:
            continue
        yield _rehearsed(fold, (*answer.members, pair.predict()))


def _rehearsed(fold: Fold, members: tuple[Prediction, ...]) -> Rehearsed:
    return Rehearsed(members, fold.actual, fold.scored)
