"""A tenant of any size for the benchmarks, made from a seed: two years of days a product."""

from typing import Final

import numpy as np
import pandas as pd

from benchmarks.real_data import TenantData

DAYS: Final = 730
KINDS: Final = 50
"""Products differ up to this many, and repeat from there on: a job of any multiple of it holds the
same mixture."""
SEED: Final = 2026


def made_tenant(products: int) -> TenantData:
    """Levels from one a day to two hundred, weekly and yearly seasons, promotions and prices."""
    kinds = [_product(kind) for kind in range(min(products, KINDS))]
    sales = [
        kinds[number % KINDS].assign(product=f"product {number}") for number in range(products)
    ]
    return TenantData(
        name=f"{products} products",
        country="DE",
        subdivision="BY",
        timezone="Europe/Berlin",
        currency="EUR",
        unit="piece",
        sales=pd.concat(sales, ignore_index=True),
    )


def _product(kind: int) -> pd.DataFrame:
    random = np.random.default_rng([SEED, kind])
    days = pd.date_range("2024-01-01", periods=DAYS, name="date")
    promotion = (random.random(DAYS) < 0.1).astype(float)
    yearly = 1 + random.uniform(0, 0.4) * np.sin(2 * np.pi * days.day_of_year / 365.25)
    weekly = random.uniform(0.6, 1.4, 7)[days.day_of_week]
    trend = np.exp(random.normal(0, 0.01, DAYS).cumsum())
    level = 200.0 ** random.random()
    demand = level * yearly * weekly * trend * (1 + 0.4 * promotion)
    return pd.DataFrame(
        {
            "date": days,
            "location": "main",
            "quantity": random.poisson(demand).astype(float),
            "price": 2.0 + 0.1 * (np.arange(DAYS) > random.integers(100, 600)),
            "promotion": promotion.astype(int),
        }
    )
