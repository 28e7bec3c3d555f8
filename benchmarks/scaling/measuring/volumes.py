"""Tenants whose products all sell alike: one for each volume class that the core tells apart."""

from typing import Final

import numpy as np
import pandas as pd

from benchmarks.made_tenant import DAYS, SEED
from benchmarks.real_data import TenantData
from services.training.demand.classification import VolumeClass

LEVELS: Final = {
    VolumeClass.HIGH: 120.0,
    VolumeClass.MEDIUM: 22.0,
    VolumeClass.LOW: 4.0,
    VolumeClass.INTERMITTENT: 0.25,
}
"""Units a day, about."""


def tenant_of(volume: VolumeClass, series: int) -> TenantData:
    """Two years of days a product, with a weekly season, prices and promotions."""
    sales = pd.concat([_product(volume, number) for number in range(series)], ignore_index=True)
    return TenantData(
        name=f"{series} products of {volume} volume",
        country="DE",
        subdivision="BY",
        timezone="Europe/Berlin",
        currency="EUR",
        unit="piece",
        sales=sales,
    )


def _product(volume: VolumeClass, number: int) -> pd.DataFrame:
    random = np.random.default_rng([SEED, number])
    days = pd.date_range("2024-01-01", periods=DAYS, name="date")
    promotion = (random.random(DAYS) < 0.1).astype(float)
    weekly = random.uniform(0.7, 1.3, 7)[days.day_of_week]
    level = LEVELS[volume] * random.uniform(0.8, 1.25)
    return pd.DataFrame(
        {
            "date": days,
            "location": "main",
            "product": f"product {number}",
            "quantity": random.poisson(level * weekly * (1 + 0.4 * promotion)).astype(float),
            "price": 2.0 + 0.1 * (np.arange(DAYS) > random.integers(100, 600)),
            "promotion": promotion.astype(int),
        }
    )
