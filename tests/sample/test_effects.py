"""The effects that the catalogue states are in the demand: regression finds them again."""

from datetime import date

import holidays
import numpy as np
import pandas as pd
import pytest

from services.training.sample.bakery import Bakery, generate_bakery
from services.training.sample.catalogue import CATALOGUE
from services.training.sample.product import Product

START = date(2021, 1, 4)
DAYS = 4 * 365
PRODUCTS = {item.product: item for item in CATALOGUE}
STANDARD_ERRORS = 4.0


@pytest.fixture(scope="module")
def bakery() -> Bakery:
    return generate_bakery(11, START, DAYS, planned_days=0)


def design(bakery: Bakery, product: Product) -> tuple[pd.DataFrame, pd.Series]:
    """Regressors built anew from dates, weather and prices, and the log of the true demand."""
    demand = bakery.demand[bakery.demand["product"] == product.product].set_index("date")
    sales = bakery.sales[bakery.sales["product"] == product.product].set_index("date")
    weather = bakery.regressors.set_index("date").loc[demand.index]
    days = pd.DatetimeIndex(demand.index)
    free = holidays.country_holidays("DE", subdiv="BW", years=range(2020, 2027))
    phase = 2 * np.pi * (days.day_of_year - product.season_peak) / 365.25
    norm = 11 + 9.5 * np.cos(2 * np.pi * (days.day_of_year - 200) / 365.25)
    columns = {
        "constant": np.ones(len(days)),
        **{f"weekday {day}": (days.day_of_week == day).astype(float) for day in range(1, 7)},
        "season": np.cos(phase),
        "season sine": np.sin(phase),
        "trend": np.arange(len(days)) / 365.25,
        "lift": sales["promotion"].to_numpy(),
        "warmth": (weather["temperature"].to_numpy() - norm) / 10,
        "rain": weather["precipitation"].to_numpy() / 10,
        "public holiday": np.array([day.date() in free for day in days], dtype=float),
        "holiday eve": np.array(
            [(day + pd.Timedelta(days=1)).date() in free for day in days], dtype=float
        ),
        "school holiday": weather["school_holiday"].to_numpy(dtype=float),
        "festival": days.isin(_event_days(bakery, "festival")).astype(float),
        "christmas market": days.isin(_event_days(bakery, "christmas_market")).astype(float),
    }
    frame = pd.DataFrame(columns, index=days)
    on_sale = ((sales["open"] == 1) & (demand["demand"] > 0)).to_numpy()
    frame = frame.loc[on_sale, :]
    return frame.loc[:, (frame != 0).any()], np.log(demand.loc[on_sale, "demand"])


def _event_days(bakery: Bakery, event: str) -> pd.Series:
    return bakery.events.loc[bakery.events["event"] == event, "date"]


def stated_effects(product: Product) -> dict[str, float]:
    weekday = {
        f"weekday {day}": np.log(product.weekday[day] / product.weekday[0])
        for day in range(1, 7 if product.sold_on_sundays else 6)
    }
    rest = {
        "season": product.season,
        "season sine": 0.0,
        "trend": product.trend,
        "warmth": product.warmth,
        "rain": product.rain,
        "holiday eve": np.log(product.holiday_eve),
        "school holiday": np.log(product.school_holiday),
        "festival": np.log(product.festival),
        "christmas market": np.log(product.christmas_market),
    }
    if product.sold_on_sundays:
        rest["public holiday"] = np.log(product.public_holiday)
    if product.lift:
        rest["lift"] = product.lift
    return {**weekday, **rest}


@pytest.mark.parametrize("name", ["roll", "pretzel", "croissant", "coffee", "farmhouse-loaf"])
def test_regression_finds_the_stated_effects(bakery: Bakery, name: str) -> None:
    frame, log_demand = design(bakery, PRODUCTS[name])
    regressors = frame.to_numpy()
    coefficients, _, _, _ = np.linalg.lstsq(regressors, log_demand.to_numpy(), rcond=None)
    residual = log_demand.to_numpy() - regressors @ coefficients
    variance = residual @ residual / (len(residual) - regressors.shape[1])
    errors = np.sqrt(variance * np.diag(np.linalg.inv(regressors.T @ regressors)))
    found = dict(zip(frame.columns, zip(coefficients, errors, strict=True), strict=True))
    for effect, stated in stated_effects(PRODUCTS[name]).items():
        estimate, error = found[effect]
        assert error < 0.15, f"{effect} is not estimable"
        assert abs(estimate - stated) < STANDARD_ERRORS * error, effect


@pytest.mark.parametrize("name", ["apple-cake", "strawberry-cake", "celebration-cake"])
def test_counts_spread_as_the_stated_negative_binomial_and_wider_than_poisson(
    bakery: Bakery, name: str
) -> None:
    truth = bakery.demand[(bakery.demand["product"] == name) & (bakery.demand["expected"] > 0)]
    mean = truth["expected"].to_numpy()
    squared = (truth["demand"].to_numpy() - mean) ** 2
    stated = mean + PRODUCTS[name].dispersion * mean**2
    assert np.mean(squared / stated) == pytest.approx(1.0, abs=0.2)
    assert np.mean(squared / mean) > 1.2


def test_temperature_follows_the_season_and_stays_warm_or_cold_for_days(bakery: Bakery) -> None:
    temperature = bakery.regressors.set_index("date")["temperature"]
    monthly = temperature.groupby(temperature.index.month).mean()
    assert monthly[7] - monthly[1] > 14
    days = pd.DatetimeIndex(temperature.index).day_of_year
    anomaly = temperature - (11 + 9.5 * np.cos(2 * np.pi * (days - 200) / 365.25))
    assert 0.7 < anomaly.autocorr(1) < 0.9


def test_it_rains_in_spells(bakery: Bakery) -> None:
    wet = bakery.regressors["precipitation"] > 0
    after_rain = wet[wet.shift(fill_value=False)].mean()
    after_dry = wet[~wet.shift(fill_value=False)].mean()
    assert after_rain - after_dry > 0.2
    assert 0.3 < wet.mean() < 0.55
