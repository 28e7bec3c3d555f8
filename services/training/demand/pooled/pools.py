"""What a job has of pools: the latest, and dated ones that a contest can judge; as bytes, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

import numpy as np
import pandas as pd

from services.training.demand.comparison import Gain
from services.training.demand.config import (
    Progress,
    Report,
    TrainingConfig,
    TrainingStage,
    between,
    ignore,
)
from services.training.demand.packing import packed, unpacked
from services.training.demand.pooled.config import PoolConfig
from services.training.demand.pooled.forward import DatedPool, pool_for
from services.training.demand.pooled.hindsight import Hindsight, look_back
from services.training.demand.pooled.newcomers import Newcomers
from services.training.demand.pooled.pool import (
    FittedPool,
    Memories,
    PooledAnswer,
    PoolTooSmallError,
    fit_pool,
    teaches,
)
from services.training.demand.pooled.rehearsal import Mixtures
from services.training.demand.pooled.saved import UnknownPoolFormat, from_dict, to_dict
from services.training.demand.pooled.schedule import schedule_of
from services.training.demand.pooled.spread import Spread
from services.training.demand.pooled.tenant import Mixture
from services.training.demand.series import Series

__all__ = ["PoolTooSmallError", "Pools", "UnknownPoolFormat", "fit_pools"]

MOST_SERIES: Final = 400
MOST_REHEARSED: Final = 60
_FORMAT: Final = 3


@dataclass(frozen=True, slots=True, eq=False)
class Pools:
    """`latest` knows all the series held; each pool in `hindsight` nothing after its cut-off."""

    latest: FittedPool
    hindsight: Hindsight

    def before(self, cutoff: pd.Timestamp) -> FittedPool | None:
        """The latest pool that knows nothing after `cutoff`, if the mixtures know no more."""
        through = self.hindsight.learnt_through
        if through is not None and cutoff < through:
            return None
        return pool_for(self.hindsight.dated, cutoff)

    def answers(self, cuts: Sequence[Series]) -> dict[pd.Timestamp, PooledAnswer]:
        """For the plan of each cut of one series, by its last known day; a cut-off without a pool
        before it has no answer. A pool is asked once for all its cuts."""
        found: dict[pd.Timestamp, PooledAnswer] = {}
        for dated in self.hindsight.dated:
            own = [cut for cut in cuts if self.before(cut.data_through) is dated.pool]
            through = [cut.data_through for cut in own]
            found |= dict(zip(through, dated.pool.answers(own), strict=True))
        return found

    def to_bytes(self) -> bytes:
        """The same pools give the same bytes; inside is JSON."""
        known = self.hindsight
        through = known.learnt_through
        return packed(
            {
                "format": _FORMAT,
                "latest": to_dict(self.latest),
                "dated": [
                    {"cutoff": _day(one.cutoff), "pool": to_dict(one.pool)} for one in known.dated
                ],
                "mixtures": asdict(known.mixtures),
                "served": asdict(known.served),
                "learnt_through": None if through is None else _day(through),
                "newcomers": None if known.newcomers is None else asdict(known.newcomers),
                "expected": None if known.expected is None else asdict(known.expected),
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
            from_dict(content["latest"]),
            Hindsight(
                dated=tuple(
                    DatedPool(pd.Timestamp(one["cutoff"]), from_dict(one["pool"]))
                    for one in content["dated"]
                ),
                mixtures=_mixtures(content["mixtures"]),
                served=_mixtures(content["served"]),
                learnt_through=None if through is None else pd.Timestamp(through),
                newcomers=None if newcomers is None else Newcomers(**newcomers),
                expected=None if expected is None else Gain(**expected),
            ),
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

    def tell(share: float) -> None:
        report(Progress(TrainingStage.FIT, share))

    tell(0.0)
    past: Memories = {}
    schedule = schedule_of(drawn, config) if drawn else None
    hindsight = Hindsight.none()
    if schedule is not None:
        rehearsed = _drawn(drawn, MOST_REHEARSED, config.seed)
        quick = pool_config.quick()
        hindsight = look_back(
            drawn, rehearsed, schedule, quick, config.seed, past, between(tell, 0.0, 0.6)
        )
    latest = fit_pool(drawn, pool_config, config.seed, past, between(tell, 0.6, 1.0))
    report(Progress(TrainingStage.EVALUATE, 1.0))
    return Pools(latest, hindsight)


def _drawn(series: Sequence[Series], most: int, seed: int) -> list[Series]:
    """At most so many, in order of location and product."""
    ordered = sorted(series, key=lambda one: (one.location, one.product))
    if len(ordered) <= most:
        return ordered
    chosen = np.random.default_rng(seed).choice(len(ordered), most, replace=False)
    return [ordered[position] for position in np.sort(chosen)]


def _mixtures(saved: Mapping[str, Any]) -> Mixtures:
    return Mixtures(**{name: _mixture(one) for name, one in saved.items()})


def _mixture(saved: Mapping[str, Any]) -> Mixture:
    return Mixture(tuple(saved["weights"]), Spread(**saved["spread"]))


def _day(cutoff: pd.Timestamp) -> str:
    return str(cutoff.date())
