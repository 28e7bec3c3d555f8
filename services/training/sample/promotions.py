"""When the sample bakery cuts a price, and what a product then costs."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from services.training.sample.days import SUNDAY
from services.training.sample.product import Product

WEEKS_BETWEEN = 9
DEPTHS = (0.15, 0.20, 0.30)
YEARLY_RISE = 0.03


def promotion_depths(
    product: Product, days: pd.DataFrame, random: np.random.Generator
) -> npt.NDArray[np.float64]:
    """The price cut of each day as a share of the list price, 0 without a promotion.

    A promotion lasts from Monday to Saturday, and a promoted product has one every `WEEKS_BETWEEN`
    weeks on average.
    """
    offset = int(days["weekday"].iloc[0])
    week = (np.arange(len(days)) + offset) // 7
    runs = random.random(week[-1] + 1) < 1 / WEEKS_BETWEEN
    weekly = np.where(runs, random.choice(DEPTHS, size=len(runs)), 0.0)
    before_sunday = days["weekday"].to_numpy() != SUNDAY
    depths = np.where(before_sunday & (product.lift > 0), weekly[week], 0.0)
    return np.asarray(depths, dtype=np.float64)


def list_prices(product: Product, index: pd.DatetimeIndex) -> npt.NDArray[np.float64]:
    """The price before promotions: it rises each January, to the next five cents."""
    years = index.year.to_numpy() - index[0].year
    risen = np.ceil(np.round(product.price * (1 + YEARLY_RISE) ** years / 0.05, 6)) * 0.05
    prices = np.round(np.where(years > 0, risen, product.price), 2)
    return np.asarray(prices, dtype=np.float64)
