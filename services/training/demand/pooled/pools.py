"""What a job has of pools: dated ones that a contest can judge, the latest, their mixtures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

import numpy as np
import pandas as pd

from services.training.demand.backtest import Fold
from services.training.demand.comparison import Gain
from services.training.demand.config import (
    Progress,
    Report,
    TrainingConfig,
    TrainingStage,
    ignore,
)
from services.training.demand.packing import packed, unpacked
from services.training.demand.pooled.config import PoolConfig
from services.training.demand.pooled.expectation import expected_gain
from services.training.demand.pooled.forward import DatedPool, fit_dated_pools, pool_for
from services.training.demand.pooled.newcomers import Newcomers, judge_newcomers
from services.training.demand.pooled.pool import (
    FittedPool,
    PooledAnswer,
    PoolTooSmallError,
    fit_pool,
    teaches,
)
from services.training.demand.pooled.rehearsal import Mixtures, learn_mixtures, rehearse
from services.training.demand.pooled.saved import UnknownPoolFormat, from_dict, to_dict
from services.training.demand.pooled.schedule import Schedule, fold_after, schedule_of
from services.training.demand.pooled.spread import Spread
from services.training.demand.pooled.tenant import Mixture
from services.training.demand.series import Series

__all__ = ["PoolTooSmallError", "Pools", "UnknownPoolFormat", "fit_pools"]

MOST_SERIES: Final = 400
MOST_REHEARSED: Final = 60
_FORMAT: Final = 2


@dataclass(frozen=True, slots=True, eq=False)
class Pools:
    """`latest` knows all the series held; each of `dated` nothing after its cut-off, and the
    `mixtures` nothing after `learnt_through` (None: they are unrehearsed, and know nothing).
    `newcomers` tells how the last of the dated did on new products, `expected` what share of the
    baseline's loss the first of them and Prophet saved on the days that the mixtures learnt from;
    None where that could not be."""

    latest: FittedPool
    dated: tuple[DatedPool, ...]
    mixtures: Mixtures
    learnt_through: pd.Timestamp | None
    newcomers: Newcomers | None
    expected: Gain | None

    def before(self, cutoff: pd.Timestamp) -> FittedPool | None:
        """The latest pool that knows nothing after `cutoff`, if the mixtures know no more."""
        if self.learnt_through is not None and cutoff < self.learnt_through:
            return None
        return pool_for(self.dated, cutoff)

    def answers(self, cuts: Sequence[Series]) -> dict[pd.Timestamp, PooledAnswer]:
        """For the plan of each cut of one series, by its last known day; a cut-off without a pool
        before it has no answer. A pool is asked once for all its cuts."""
        found: dict[pd.Timestamp, PooledAnswer] = {}
        for dated in self.dated:
            own = [cut for cut in cuts if self.before(cut.data_through) is dated.pool]
            through = [cut.data_through for cut in own]
            found |= dict(zip(through, dated.pool.answers(own), strict=True))
        return found

    def to_bytes(self) -> bytes:
        """The same pools give the same bytes; inside is JSON."""
        through = self.learnt_through
        return packed(
            {
                "format": _FORMAT,
                "latest": to_dict(self.latest),
                "dated": [
                    {"cutoff": _day(one.cutoff), "pool": to_dict(one.pool)} for one in self.dated
                ],
                "mixtures": asdict(self.mixtures),
                "learnt_through": None if through is None else _day(through),
                "newcomers": None if self.newcomers is None else asdict(self.newcomers),
                "expected": None if self.expected is None else asdict(self.expected),
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """The pools that `to_bytes` wrote; they answer the same. Raises `UnknownPoolFormat`."""
        content = unpacked(data)
        if content["format"] != _FORMAT:
            raise UnknownPoolFormat(content["format"])
        through, newcomers = content["learnt_through"], content["newcomers"]
        expected = content["expected"]
        return cls(
            latest=from_dict(content["latest"]),
            dated=tuple(
                DatedPool(pd.Timestamp(one["cutoff"]), from_dict(one["pool"]))
                for one in content["dated"]
            ),
            mixtures=Mixtures(
                **{name: _mixture(saved) for name, saved in content["mixtures"].items()}
            ),
            learnt_through=None if through is None else pd.Timestamp(through),
            newcomers=None if newcomers is None else Newcomers(**newcomers),
            expected=None if expected is None else Gain(**expected),
        )


def fit_pools(series: Sequence[Series], config: TrainingConfig, report: Report = ignore) -> Pools:
    """The pools of a tenant's series for trainings under `config`.

    At most `MOST_SERIES` of those with a known day are learnt from, drawn by the seed; any may be
    answered. The dated pools are missing where there was too little to learn from by then. Raises
    `PoolTooSmallError` where that is so even of all days. The same series, in any order,
    configuration and seed give the same pools.
    """
    drawn = _drawn([one for one in series if teaches(one)], MOST_SERIES, config.seed)
    pool_config = PoolConfig(horizon_days=config.horizon_days)
    report(Progress(TrainingStage.FIT, 0.0))
    latest = fit_pool(drawn, pool_config, config.seed)
    schedule = schedule_of(drawn, config)
    if schedule is None:
        return Pools(latest, (), Mixtures.unrehearsed(), None, None, None)
    dated: list[DatedPool] = []
    for number, cutoff in enumerate(schedule.cutoffs, start=1):
        report(Progress(TrainingStage.FIT, 0.3 * number))
        dated += fit_dated_pools(drawn, [cutoff], pool_config.quick(), config.seed)
    report(Progress(TrainingStage.EVALUATE, 0.9))
    pools = _mixed(latest, tuple(dated), schedule, _drawn(drawn, MOST_REHEARSED, config.seed))
    report(Progress(TrainingStage.EVALUATE, 1.0))
    return pools


def _mixed(
    latest: FittedPool,
    dated: tuple[DatedPool, ...],
    schedule: Schedule,
    rehearsed: Sequence[Series],
) -> Pools:
    """Mixtures learnt from the first dated pool alone: later ones know days the contest judges."""
    mixtures, through, expected = Mixtures.unrehearsed(), None, None
    if dated and dated[0].cutoff == schedule.cutoffs[0]:
        rehearsals = rehearse(dated[0].pool, _folds(rehearsed, dated[0].cutoff, schedule.days))
        mixtures, through = learn_mixtures(rehearsals), schedule.learnt_through
        expected = expected_gain(mixtures, rehearsals)
    newcomers = None
    if dated:
        folds = _folds(rehearsed, dated[-1].cutoff, schedule.days)
        newcomers = judge_newcomers(dated[-1].pool, mixtures.alone, folds)
    return Pools(latest, dated, mixtures, through, newcomers, expected)


def _folds(series: Sequence[Series], cutoff: pd.Timestamp, days: int) -> list[Fold]:
    found = (fold_after(one, cutoff, days) for one in series)
    return [fold for fold in found if fold is not None]


def _drawn(series: Sequence[Series], most: int, seed: int) -> list[Series]:
    """At most so many, in order of location and product."""
    ordered = sorted(series, key=lambda one: (one.location, one.product))
    if len(ordered) <= most:
        return ordered
    chosen = np.random.default_rng(seed).choice(len(ordered), most, replace=False)
    return [ordered[position] for position in np.sort(chosen)]


def _mixture(saved: Mapping[str, Any]) -> Mixture:
    return Mixture(tuple(saved["weights"]), Spread(**saved["spread"]))


def _day(cutoff: pd.Timestamp) -> str:
    return str(cutoff.date())
