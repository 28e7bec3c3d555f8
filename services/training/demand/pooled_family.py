"""The families that live off the pools: `pooled` alone, and `combine` with Prophet beside it.

A mixture is linear, so the pool's members count as one forecast, the pool's, with the sum of their
weights. That one, not the pool, is kept to replay: LightGBM is not needed for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Final

import numpy as np
import pandas as pd

from services.training.demand.backtest import Fold
from services.training.demand.config import Family
from services.training.demand.entry import Entry, Fitted
from services.training.demand.features import prepare
from services.training.demand.model import PosedDesign, UnfittedProphet
from services.training.demand.pooled.combine import combine
from services.training.demand.pooled.pool import MEMBERS, PooledAnswer
from services.training.demand.pooled.pools import Pools
from services.training.demand.pooled.rehearsal import Mixtures
from services.training.demand.pooled.spread import Spread
from services.training.demand.pooled.tenant import Mixture
from services.training.demand.prediction import Floats, Prediction
from services.training.demand.prophet_family import TunedProphet
from services.training.demand.prophet_pair import ProphetPair, pair_from_dict
from services.training.demand.prophet_space import from_params
from services.training.demand.series import Series

_POOL: Final = "pool"
_PRIOR_DAYS: Final = 4000
"""The spread is learnt across the tenant already: the few folds of a series add little to it."""


@dataclass(frozen=True, slots=True, eq=False)
class PooledAnswers:
    """What the pools answer for one series at its cut-offs, by the last known day; `through` is
    that of the whole series, whose plan is answered by the mixtures to be `served`. Those before it
    are judged: their `mixtures` know nothing of the contest."""

    answers: Mapping[pd.Timestamp, PooledAnswer]
    mixtures: Mixtures
    served: Mixtures
    through: pd.Timestamp

    def mixtures_for(self, series: Series) -> Mixtures:
        return self.served if series.data_through == self.through else self.mixtures

    def judge(self, folds: Sequence[Fold]) -> tuple[Fold, ...]:
        """The folds that were answered: a pool knew enough, and nothing of what came after."""
        return tuple(fold for fold in folds if fold.cutoff in self.answers)

    def mixed(self, series: Series, mixture: Mixture) -> Prediction:
        """The pool's forecast of the plan: its members, as the mixture weighs them."""
        answer = self.answers[series.data_through]
        return combine(answer.members, mixture.weights[: len(MEMBERS)])


def ask(pools: Pools, series: Series, folds: Sequence[Fold]) -> PooledAnswers:
    """The dated pools for the folds, the latest for the plan."""
    through, known = series.data_through, pools.hindsight
    answers = pools.answers([fold.series for fold in folds])
    return PooledAnswers(
        answers | {through: pools.latest.predict(series)}, known.mixtures, known.served, through
    )


def pooled_entry(answers: PooledAnswers) -> Entry:
    def fit(series: Series) -> Fitted:
        mixture = answers.mixtures_for(series).alone
        return FittedPooled(answers.mixed(series, mixture), mixture.spread)

    params = _named(answers.served.alone, MEMBERS)
    return Entry(Family.POOLED, params, fit, prior_days=_PRIOR_DAYS)


def combination_entry(answers: PooledAnswers, tuned: TunedProphet) -> Entry:
    served = answers.served.beside_prophet
    params = asdict(tuned.unfitted) | _named(served, (*MEMBERS, Family.PROPHET.value))

    def fit(series: Series) -> Fitted:
        mixture = answers.mixtures_for(series).beside_prophet
        pool = answers.mixed(series, mixture)
        share = mixture.weights[-1]
        return FittedCombination(pool, tuned.fit_pair(series), share, mixture.spread)

    return Entry(Family.COMBINE, params, fit, prior_days=_PRIOR_DAYS)


@dataclass(frozen=True, slots=True, eq=False)
class FittedPooled:
    pool: Prediction
    spread: Spread

    def predict(self) -> Prediction:
        return self.spread.apply(self.pool)

    def parts(self) -> dict[str, Floats]:
        return {_POOL: self.pool.mean}

    def to_dict(self) -> dict[str, object]:
        return {_POOL: _saved(self.pool), "spread": self.spread.factor}


@dataclass(frozen=True, slots=True, eq=False)
class FittedCombination:
    """`prophet_share` is Prophet's weight, the pool has the rest."""

    pool: Prediction
    prophet: ProphetPair
    prophet_share: float
    spread: Spread

    def predict(self) -> Prediction:
        shares = (1.0 - self.prophet_share, self.prophet_share)
        return self.spread.apply(combine((self.pool, self.prophet.predict()), shares))

    def parts(self) -> dict[str, Floats]:
        """The pool is one part, Prophet's have their weight."""
        parts = {_POOL: (1.0 - self.prophet_share) * self.pool.mean}
        for name, values in self.prophet.parts().items():
            own = f"prophet's {name}" if name in parts else name
            parts[own] = self.prophet_share * values
        return parts

    def to_dict(self) -> dict[str, object]:
        return {
            _POOL: _saved(self.pool),
            "prophet": self.prophet.to_dict(),
            "prophet_share": self.prophet_share,
            "spread": self.spread.factor,
        }


def restore_pooled(content: Mapping[str, object]) -> FittedPooled:
    return FittedPooled(_restored(content[_POOL]), _spread(content))


def restore_combination(
    content: Mapping[str, object], params: Mapping[str, object], series: Series
) -> FittedCombination:
    prophet, share = content["prophet"], content["prophet_share"]
    assert isinstance(prophet, dict)
    assert isinstance(share, float)
    own = {field.name: params[field.name] for field in fields(UnfittedProphet)}
    pair = pair_from_dict(prophet, from_params(own), PosedDesign(prepare(series)))
    return FittedCombination(_restored(content[_POOL]), pair, share, _spread(content))


def _named(mixture: Mixture, members: Sequence[str]) -> dict[str, object]:
    weights = zip(members, mixture.weights, strict=True)
    named: dict[str, object] = {f"weight_{name}": weight for name, weight in weights}
    return named | {"spread": mixture.spread.factor}


def _saved(prediction: Prediction) -> dict[str, object]:
    return {"mean": prediction.mean.tolist(), "quantiles": prediction.quantiles.tolist()}


def _restored(content: object) -> Prediction:
    assert isinstance(content, dict)
    return Prediction(np.array(content["mean"]), np.array(content["quantiles"]))


def _spread(content: Mapping[str, object]) -> Spread:
    factor = content["spread"]
    assert isinstance(factor, float)
    return Spread(factor)
