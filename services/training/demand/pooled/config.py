"""How a pool is trained."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Self

BOOSTED_LEVELS: Final = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Levels with a model of their own; those between and beyond are read off these."""


@dataclass(frozen=True, slots=True)
class PoolConfig:
    """`most_rows` bounds the training rows, and with them time and memory; `longest_days` the
    history that is read. Training origins lie `origins_apart` days apart. A row's weight halves
    with each `half_life_days` of age and grows with the series' level to the `volume_power`. A leaf
    holds at least `least_share_in_leaf` of the rows, and at least `fewest_rows_in_leaf`."""

    horizon_days: int = 28
    longest_days: int = 1096
    warm_up_days: int = 28
    most_rows: int = 24_000
    origins_apart: int = 14
    half_life_days: float = 1096.0
    volume_power: float = 0.5
    rounds: int = 100
    learning_rate: float = 0.1
    leaves: int = 12
    fewest_rows_in_leaf: int = 40
    least_share_in_leaf: float = 1.0 / 240.0
    columns_share: float = 0.5
    rows_share: float = 0.8
    tweedie_power: float = 1.3

    def quick(self) -> Self:
        """Half as many steps, twice as long, on half the rows: what only judges may be a little
        worse than what serves, not better, and costs a quarter."""
        return replace(
            self,
            rounds=self.rounds // 2,
            learning_rate=2.0 * self.learning_rate,
            most_rows=self.most_rows // 2,
        )
