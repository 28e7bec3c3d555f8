"""Which families a training can let contend, and on which folds: pools may not reach as far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from services.training.demand.backtest import Fold, FoldPlan
from services.training.demand.comparison import Gain
from services.training.demand.config import Family, TrainingConfig, wants_pool
from services.training.demand.families import NEEDING_POOLS, NEEDING_PROPHET
from services.training.demand.outcome import Refused
from services.training.demand.pooled.pools import Pools
from services.training.demand.pooled_family import PooledAnswers, ask
from services.training.demand.series import Series

_DEFAULT: Final = (Family.PROPHET, Family.POOLED, Family.COMBINE)


@dataclass(frozen=True, slots=True)
class Contenders:
    """`folds` judge them all; `answers` where a family needs them; `expected` the share of the
    baseline's loss that the tenant's combinations save, where the pools know."""

    families: tuple[Family, ...]
    folds: tuple[Fold, ...]
    answers: PooledAnswers | None
    warnings: tuple[str, ...]
    expected: Gain | None = None

    @property
    def stake(self) -> float:
        """How much of what Prophet gains by a search reaches the forecast: its weight where it is
        to be served in a combination."""
        if self.answers is None or Family.COMBINE not in self.families:
            return 1.0
        return self.answers.served.beside_prophet.weights[-1]


def contenders_of(
    series: Series, config: TrainingConfig, folds: FoldPlan, pools: Pools | None
) -> Contenders | Refused:
    """All that were asked for where the pools answer for some contest fold, and these folds;
    else those that need no pool, and every fold, with a warning."""
    asked = _asked(config)
    if not wants_pool(config):
        return Contenders(asked, folds.contest, None, ())
    if pools is None:
        return _without_pools(asked, folds.contest, "the training has no pool")
    answers = ask(pools, series, folds.contest)
    judged = answers.judge(folds.contest)
    if not judged:
        why = "no pool knew enough before the contest"
        return _without_pools(asked, folds.contest, why)
    expected = pools.hindsight.expected if Family.COMBINE in asked else None
    return Contenders(asked, judged, answers, _fewer(judged, folds.contest), expected)


def without_prophet(contenders: Contenders, why: str) -> Contenders | None:
    """The pool by itself, where it contends: it needs no fit of the series."""
    if Family.POOLED not in contenders.families:
        return None
    kept = tuple(family for family in contenders.families if family not in NEEDING_PROPHET)
    warning = f"no_prophet: {why}"
    return replace(contenders, families=kept, warnings=(*contenders.warnings, warning))


def _asked(config: TrainingConfig) -> tuple[Family, ...]:
    """The baseline is what every other family is held against; it contends only when asked to."""
    if config.families is None:
        return _DEFAULT
    return tuple(Family(name) for name in config.families)


def _without_pools(
    asked: Sequence[Family], folds: tuple[Fold, ...], why: str
) -> Contenders | Refused:
    """Of a combination Prophet is left."""
    kept = [family for family in asked if family not in NEEDING_POOLS]
    if Family.COMBINE in asked and Family.PROPHET not in kept:
        kept.append(Family.PROPHET)
    absent = " and ".join(family.value for family in asked if family in NEEDING_POOLS)
    if not kept:
        return Refused(
            "no_pool",
            f"{why}, which {absent} needs: train more products or a longer history together, "
            "or let another family contend",
        )
    return Contenders(tuple(kept), folds, None, (f"no_pool: {absent} did not contend: {why}",))


def _fewer(judged: Sequence[Fold], contest: Sequence[Fold]) -> tuple[str, ...]:
    if len(judged) == len(contest):
        return ()
    return (
        f"shorter_contest: {len(judged)} of {len(contest)} folds judge: "
        "before the others no pool knew enough",
    )
