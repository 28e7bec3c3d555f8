"""A product too new to judge by itself: the pool forecasts it, judged on others cut as short."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import pandas as pd

from services.training.demand.bundle import make_bundle, serve
from services.training.demand.calibrate import Calibration
from services.training.demand.classification import demand_class
from services.training.demand.config import Family, TrainingConfig, wants_pool
from services.training.demand.effects import effects_of
from services.training.demand.outcome import Refused, Scores, Stage, Trained
from services.training.demand.pooled.newcomers import Newcomers
from services.training.demand.pooled.pools import Pools
from services.training.demand.pooled_family import ask, pooled_entry
from services.training.demand.refusal import unplannable
from services.training.demand.series import Series

FEWEST_DAYS: Final = 7
_LATELY: Final = 28
_CONFIDENT: Final = 0.95
_OF_TOO_FEW_DAYS: Final = ("too_short", "constant")
_UNSCORED: Final = Scores(wape=None, wql=None, bias=None, mase=None, coverage80=None)


def is_newcomer(series: Series, config: TrainingConfig, refused: Refused) -> bool:
    """Whether the series was refused for its youth alone: a week of known days, the last of them
    lately, with some demand, is what the pool needs."""
    known = series.history["quantity"][series.history["open"]].dropna()
    young = refused.code in _OF_TOO_FEW_DAYS and len(known) < config.min_training_days
    if not (young or refused.code == "nothing_to_judge") or len(known) < FEWEST_DAYS:
        return False
    lately = known.index[-1] > series.data_through - pd.Timedelta(days=_LATELY)
    return lately and bool((known > 0).any()) and wants_pool(config)


def train_newcomer(
    series: Series, config: TrainingConfig, pools: Pools, elapsed: Callable[[], float]
) -> Trained | Refused:
    """The pool's forecast of the plan, never calibrated nor scored: there is nothing to do it on.

    Skill and confidence are those the pool had on other products as new; of stage discovery where
    that gain was surely real, else paper."""
    refused = unplannable(series)
    if refused is not None:
        return refused
    entry = pooled_entry(ask(pools, series, ()))
    fitted, calibration = entry.fit(series), Calibration.none()
    known = series.history["quantity"][series.history["open"]].dropna()
    evidence = pools.hindsight.newcomers
    return Trained(
        family=Family.POOLED.value,
        params=entry.params,
        scores=_UNSCORED,
        baseline_scores=_UNSCORED,
        skill=0.0 if evidence is None else evidence.skill,
        stage=_stage(evidence),
        confidence=0.5 if evidence is None else evidence.confidence,
        forecast=serve(fitted, calibration, series),
        interval_coverage=None,
        fold_scores=[],
        trials=[],
        effects=effects_of(fitted, series.plan["open"].to_numpy()),
        demand_class=demand_class(known.to_numpy(dtype=np.float64)).value,
        warnings=(_warning(len(known), evidence),),
        seconds=elapsed(),
        bundle=make_bundle(series, config, entry, fitted, calibration),
    )


def _stage(evidence: Newcomers | None) -> Stage:
    if evidence is None or evidence.skill <= 0.0 or evidence.confidence < _CONFIDENT:
        return Stage.PAPER
    return Stage.DISCOVERY


def _warning(days: int, evidence: Newcomers | None) -> str:
    judged = "no other products" if evidence is None else f"{evidence.products} other products"
    return (
        f"new_product: {days} days with known sales are too few to judge a model by: "
        f"the pool was judged on {judged} cut as short"
    )
