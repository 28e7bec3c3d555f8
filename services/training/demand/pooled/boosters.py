"""LightGBM behind two functions: deterministic, on one thread, kept as its own text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from services.training.demand.config import Tell, untold
from services.training.demand.pooled.config import PoolConfig
from services.training.demand.prediction import Floats

if TYPE_CHECKING:
    import lightgbm

CATEGORIES: Final = ("product", "location", "occasion")


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """`features` (rows, columns), `target` in the unit of the answers, `weight` (rows,)."""

    features: Floats
    names: tuple[str, ...]
    target: Floats
    weight: Floats


def fit_boosters(
    rows: Rows,
    objectives: Sequence[dict[str, object]],
    config: PoolConfig,
    seed: int,
    tell: Tell = untold,
) -> tuple[lightgbm.Booster, ...]:
    """One booster an objective, all on the same binned rows."""
    import lightgbm

    shared = _parameters(config, seed, len(rows.target))
    data = lightgbm.Dataset(
        rows.features,
        label=rows.target,
        weight=rows.weight,
        feature_name=[f"f{position}" for position in range(len(rows.names))],
        categorical_feature=[rows.names.index(name) for name in CATEGORIES],
        params=shared,
        free_raw_data=False,
    )
    boosters = []
    for objective in objectives:
        boosters.append(_fitted({**shared, **objective}, data, config.rounds))
        tell(len(boosters) / len(objectives))
    return tuple(boosters)


def _fitted(parameters: dict[str, object], data: lightgbm.Dataset, rounds: int) -> lightgbm.Booster:
    """Without the rows that it learnt from, which it would keep for as long as it lives."""
    import lightgbm

    # Else it is written as text and read again, which the saving does anyway.
    booster = lightgbm.train(parameters, data, num_boost_round=rounds, keep_training_booster=True)
    return booster.free_dataset()


def _parameters(config: PoolConfig, seed: int, rows: int) -> dict[str, object]:
    least = max(config.fewest_rows_in_leaf, round(config.least_share_in_leaf * rows))
    return {
        "learning_rate": config.learning_rate,
        "num_leaves": config.leaves,
        "min_data_in_leaf": least,
        "feature_fraction": config.columns_share,
        "bagging_fraction": config.rows_share,
        "bagging_freq": 1,
        "max_bin": 63,
        "cat_smooth": 20.0,
        "lambda_l2": 1.0,
        "seed": seed,
        "deterministic": True,
        "force_col_wise": True,
        "num_threads": 1,
        "verbosity": -1,
    }


def to_text(booster: lightgbm.Booster) -> str:
    return str(booster.model_to_string())


def from_text(text: str) -> lightgbm.Booster:
    import lightgbm

    return lightgbm.Booster(model_str=text)


def answer(booster: lightgbm.Booster, features: Floats) -> Floats:
    return np.asarray(booster.predict(features, num_threads=1), dtype=np.float64)
