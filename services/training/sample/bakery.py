"""A believable bakery, made from a seed.

It has what real tills have: weekdays, seasons, holidays, weather, promotions, sold-out days,
closed days, products that come and go, and products that hardly sell.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from services.training.sample.catalogue import CATALOGUE
from services.training.sample.days import bakery_days
from services.training.sample.demand import (
    baked,
    draw_demand,
    habitual_demand,
    on_sale,
    sold_days,
    weather_factor,
)
from services.training.sample.product import Product
from services.training.sample.promotions import list_prices, promotion_depths
from services.training.sample.weather import known_weather, weather

LOCATION = "main"


@dataclass(frozen=True, slots=True, eq=False)
class Bakery:
    """The bakery as its owner sees it, and the demand that the owner never sees.

    sales: date, product, location, quantity, price, promotion (depth), stockout, open. Closed days
        have open 0 and no quantity; planned days, after `data_through`, have neither quantity nor
        stockout. On a sold-out day the quantity is what was baked: demand was that or more.
    regressors: date, temperature (°C), precipitation (mm), school_holiday; past and planned days.
    products: product, name, category, unit, price, unit_cost, salvage_value, shelf_life_days,
        batch_size.
    events: event (identifier), name, date, window_before, window_after; a row for each day.
    demand: date, product, location, expected, demand: the truth, planned days included, 0 on
        days without sale. It is for measuring, never for training.
    """

    name: str
    country: str
    subdivision: str
    timezone: str
    currency: str
    latitude: float
    longitude: float
    data_through: date
    sales: pd.DataFrame
    regressors: pd.DataFrame
    products: pd.DataFrame
    events: pd.DataFrame
    demand: pd.DataFrame


def generate_bakery(
    seed: int,
    start: date,
    days: int = 730,
    *,
    planned_days: int = 28,
    subdivision: str = "BW",
) -> Bakery:
    """The bakery of this seed, from `start` for `days` days, with `planned_days` planned after.

    The same arguments give the same bakery. Raises ValueError for fewer than one day, a negative
    number of planned days, or a subdivision that is not a German Land.
    """
    if days < 1 or planned_days < 0:
        raise ValueError(f"days={days} and planned_days={planned_days}: at least 1 and 0")
    calendar = bakery_days(start, days, planned_days, subdivision)
    sky, outlook, *of_products = np.random.default_rng(seed).spawn(2 + len(CATALOGUE))
    real_weather = weather(calendar, sky)
    parts = [
        _product_days(product, calendar, real_weather, random)
        for product, random in zip(CATALOGUE, of_products, strict=True)
    ]
    everything = pd.concat(parts, ignore_index=True).sort_values(
        ["date", "product"], ignore_index=True
    )
    return Bakery(
        name="Bäckerei Morgenrot",
        country="DE",
        subdivision=subdivision,
        timezone="Europe/Berlin",
        currency="EUR",
        latitude=47.995,
        longitude=7.85,
        data_through=calendar.index[days - 1].date(),
        sales=_sales(everything),
        regressors=_regressors(calendar, known_weather(real_weather, calendar["planned"], outlook)),
        products=_products(calendar[~calendar["planned"]]),
        events=_events(calendar),
        demand=everything[["date", "product", "location", "expected", "demand"]],
    )


def _product_days(
    product: Product, days: pd.DataFrame, weather: pd.DataFrame, random: np.random.Generator
) -> pd.DataFrame:
    """Everything about one product on each day of its life, the truth beside what the till saw."""
    depths = promotion_depths(product, days, random)
    habitual = habitual_demand(product, days, depths)
    available = on_sale(product, days)
    expected = np.where(available, habitual * weather_factor(product, days, weather), 0.0)
    demand = draw_demand(expected, product.dispersion, random)
    supply = baked(product, habitual)
    sold = demand if supply is None else np.minimum(demand, supply)
    sold_out = np.zeros(len(days), dtype=bool) if supply is None else demand >= supply
    index = pd.DatetimeIndex(days.index)
    frame = pd.DataFrame(
        {
            "date": index,
            "product": product.product,
            "location": LOCATION,
            "open": available.astype(np.int64),
            "price": np.round(list_prices(product, index) * (1 - depths), 2),
            "promotion": depths,
            "planned": days["planned"].to_numpy(),
            "sold": sold,
            "sold_out": sold_out,
            "expected": expected,
            "demand": demand,
        }
    )
    return frame[sold_days(product, days)]


def _sales(everything: pd.DataFrame) -> pd.DataFrame:
    """What the till and the plan know: nothing about demand, nothing about days to come."""
    known = (everything["open"] == 1) & ~everything["planned"]
    sales = everything[["date", "product", "location"]].copy()
    sales["quantity"] = everything["sold"].astype("Int64").where(known)
    sales["price"] = everything["price"]
    sales["promotion"] = everything["promotion"]
    sales["stockout"] = everything["sold_out"].astype("Int64").where(known)
    sales["open"] = everything["open"]
    return sales


def _regressors(days: pd.DataFrame, weather: pd.DataFrame) -> pd.DataFrame:
    frame = weather.assign(school_holiday=days["school_holiday"].astype("int64"))
    return frame.reset_index()


def _products(days: pd.DataFrame) -> pd.DataFrame:
    index = pd.DatetimeIndex(days.index)
    rows = [
        {
            "product": product.product,
            "name": product.name,
            "category": product.category,
            "unit": "piece",
            "price": float(list_prices(product, index)[-1]),
            "unit_cost": product.unit_cost,
            "salvage_value": product.salvage_value,
            "shelf_life_days": product.shelf_life_days,
            "batch_size": product.batch_size,
        }
        for product in CATALOGUE
    ]
    return pd.DataFrame(rows)


def _events(days: pd.DataFrame) -> pd.DataFrame:
    named = {"festival": "Stadtfest", "christmas_market": "Weihnachtsmarkt"}
    rows = [
        {"event": event, "name": name, "date": day, "window_before": 0, "window_after": 0}
        for event, name in named.items()
        for day in days.index[days[event]]
    ]
    return pd.DataFrame(rows, columns=["event", "name", "date", "window_before", "window_after"])
