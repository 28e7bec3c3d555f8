"""The true demand for one product of the sample bakery."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from services.training.sample.days import SUNDAY
from services.training.sample.product import Product
from services.training.sample.weather import temperature_norm


def sold_days(product: Product, days: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """The days on which the product belongs to the range: from its launch until it is dropped."""
    history = int((~days["planned"]).sum())
    day = np.arange(len(days))
    first = round(product.sold_from * history)
    last = len(days) if product.sold_until == 1.0 else round(product.sold_until * history)
    return np.asarray((day >= first) & (day < last), dtype=bool)


def on_sale(product: Product, days: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """The days on which a customer can buy it: the shop is open, and Sundays are not excluded.

    Public holidays have the short Sunday range.
    """
    short_range = (days["weekday"] == SUNDAY) | days["public_holiday"]
    return (days["shop_open"] & (product.sold_on_sundays | ~short_range)).to_numpy(dtype=bool)


def habitual_demand(
    product: Product, days: pd.DataFrame, depths: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """What a good baker expects: weekday, season, trend, calendar, promotion; not the weather."""
    angle = 2 * np.pi * (days["day_of_year"].to_numpy() - product.season_peak) / 365.25
    log_demand = (
        np.log(product.level)
        + np.log(np.take(product.weekday, days["weekday"].to_numpy()))
        + product.season * np.cos(angle)
        + product.trend * days["years"].to_numpy()
        + product.lift * depths
        + np.log(product.public_holiday) * days["public_holiday"].to_numpy()
        + np.log(product.holiday_eve) * days["holiday_eve"].to_numpy()
        + np.log(product.school_holiday) * days["school_holiday"].to_numpy()
        + np.log(product.festival) * days["festival"].to_numpy()
        + np.log(product.christmas_market) * days["christmas_market"].to_numpy()
    )
    return np.asarray(np.exp(log_demand), dtype=np.float64)


def weather_factor(
    product: Product, days: pd.DataFrame, weather: pd.DataFrame
) -> npt.NDArray[np.float64]:
    """What the weather makes of the habitual demand."""
    norm = temperature_norm(days["day_of_year"].to_numpy(dtype=np.int64))
    warmth = (weather["temperature"].to_numpy() - norm) / 10
    rain = weather["precipitation"].to_numpy() / 10
    return np.asarray(np.exp(product.warmth * warmth + product.rain * rain), dtype=np.float64)


def draw_demand(
    expected: npt.NDArray[np.float64], dispersion: float, random: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Negative binomial counts with variance = mean + dispersion mean² (NB2)."""
    size = 1 / dispersion
    return np.asarray(random.negative_binomial(size, size / (size + expected)), dtype=np.int64)


def baked(product: Product, habitual: npt.NDArray[np.float64]) -> npt.NDArray[np.int64] | None:
    """How many are baked: the habitual demand with the product's margin, in whole batches.

    None for what is made to order, which never sells out.
    """
    if product.margin is None:
        return None
    batches = np.ceil(habitual * product.margin / product.batch_size)
    return np.asarray(batches * product.batch_size, dtype=np.int64)
