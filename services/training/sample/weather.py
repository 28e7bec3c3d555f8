"""The sample bakery's weather, and the forecast of it that a weather service would have given."""

import numpy as np
import numpy.typing as npt
import pandas as pd

MEAN_TEMPERATURE = 11.0
SEASONAL_SWING = 9.5
WARMEST_DAY = 200
PERSISTENCE = 0.8
DAILY_SHOCK = 2.4
RAIN_AFTER_DRY = 0.28
RAIN_AFTER_RAIN = 0.62
MEAN_RAIN = 5.0
FORECAST_DAYS = 10
FORECAST_ERROR = 0.35


def temperature_norm(day_of_year: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """The season's usual daily mean temperature, °C."""
    angle = 2 * np.pi * (day_of_year - WARMEST_DAY) / 365.25
    return np.asarray(MEAN_TEMPERATURE + SEASONAL_SWING * np.cos(angle), dtype=np.float64)


def weather(days: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """The weather that really comes: temperature (°C, daily mean) and precipitation (mm) by day.

    Temperature is the season's norm with a first-order autoregression around it; rain comes in
    spells (a two-state Markov chain) of gamma-distributed amounts.
    """
    norm = temperature_norm(days["day_of_year"].to_numpy(dtype=np.int64))
    return pd.DataFrame(
        {
            "temperature": np.round(norm + _anomaly(len(days), random), 1),
            "precipitation": np.round(_rain(len(days), random), 1),
        },
        index=days.index,
    )


def known_weather(
    real: pd.DataFrame, planned: pd.Series, random: np.random.Generator
) -> pd.DataFrame:
    """The weather as it is known on the last day of history.

    The past is as measured. For the first `FORECAST_DAYS` planned days it is a forecast whose
    temperature error grows by `FORECAST_ERROR` °C a day; after that it is unknown (NaN).
    """
    known = real.copy()
    lead = planned.cumsum().to_numpy()
    error = random.normal(0.0, 1.0, len(real)) * FORECAST_ERROR * lead
    damping = random.uniform(0.6, 1.4, len(real))
    known["temperature"] = np.round(real["temperature"] + error, 1)
    known["precipitation"] = np.round(real["precipitation"] * np.where(lead > 0, damping, 1.0), 1)
    return known.mask(pd.Series(lead > FORECAST_DAYS, index=real.index))


def _anomaly(length: int, random: np.random.Generator) -> npt.NDArray[np.float64]:
    shocks = random.normal(0.0, DAILY_SHOCK, length)
    anomaly = np.empty(length)
    before = 0.0
    for day in range(length):
        before = PERSISTENCE * before + shocks[day]
        anomaly[day] = before
    return anomaly


def _rain(length: int, random: np.random.Generator) -> npt.NDArray[np.float64]:
    chance = random.random(length)
    amount = random.gamma(0.9, MEAN_RAIN / 0.9, length)
    wet = np.empty(length, dtype=bool)
    raining = False
    for day in range(length):
        raining = bool(chance[day] < (RAIN_AFTER_RAIN if raining else RAIN_AFTER_DRY))
        wet[day] = raining
    return np.where(wet, amount, 0.0)
