"""The weather around the sample bakery, and every forecast of it that was ever made."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from services.training.sample.bakery import Bakery
from services.training.sample.weather import weather

Floats = npt.NDArray[np.float64]

YEARS_BEFORE: Final = 4
DAYS_AFTER: Final = 60
LONGEST_LEAD: Final = 16
DEGREES_A_DAY: Final = 0.35
"""By how much a forecast of temperature is worse for each day more."""


@dataclass(frozen=True, slots=True, eq=False)
class Skies:
    """`real`: of each day temp_mean, temp_min, temp_max (°C), precipitation (mm), wind (m/s) and
    sunshine (s); `warmer` (days, leads): by how much warmer than it came the day was forecast."""

    first: date
    real: list[dict[str, float]]
    warmer: Floats

    def as_came(self, day: date) -> dict[str, float]:
        """Empty for a day of which nothing is known, however late one asks."""
        at = (day - self.first).days
        return dict(self.real[at]) if 0 <= at < len(self.real) else {}

    def as_foreseen(self, day: date, lead: int) -> dict[str, float]:
        """Empty for more than `LONGEST_LEAD` days before."""
        found = self.as_came(day)
        if not found or not 1 <= lead <= LONGEST_LEAD:
            return {}
        warmer = float(self.warmer[(day - self.first).days, lead - 1])
        for name in ("temp_mean", "temp_min", "temp_max"):
            found[name] = round(found[name] + warmer, 1)
        damping = 1 + 0.04 * lead * np.tanh(warmer)
        found["precipitation"] = round(max(0.0, found["precipitation"] * damping), 1)
        return found


def skies_over(bakery: Bakery, seed: int) -> Skies:
    """The weather that moved the bakery's demand, with years before it and weeks after."""
    known = bakery.regressors.set_index("date")[["temperature", "precipitation"]]
    known = known[known.index <= pd.Timestamp(bakery.data_through)]
    first = known.index[0] - pd.Timedelta(days=366 * YEARS_BEFORE)
    last = pd.Timestamp(bakery.data_through + timedelta(days=DAYS_AFTER))
    days = pd.DataFrame(index=pd.date_range(first, last, name="date"))
    days["day_of_year"] = pd.DatetimeIndex(days.index).day_of_year
    sky, rest = np.random.default_rng([seed, 7]).spawn(2)
    real = weather(days, sky)
    real.update(known)
    dry = (real["precipitation"] == 0).to_numpy()
    swing = np.where(dry, 5.0, 3.0) + rest.uniform(0, 1.5, len(days))
    frame = pd.DataFrame(
        {
            "temp_mean": real["temperature"],
            "temp_min": np.round(real["temperature"] - swing, 1),
            "temp_max": np.round(real["temperature"] + swing, 1),
            "precipitation": real["precipitation"],
            "wind": np.round(rest.gamma(4.0, 1.1, len(days)), 1),
            "sunshine": np.round(np.where(dry, 30_000.0, 9_000.0) * rest.uniform(0.6, 1.2)),
        }
    )
    shocks = rest.normal(0.0, DEGREES_A_DAY, (len(days), LONGEST_LEAD))
    rows = [{str(name): float(row[name]) for name in row} for row in frame.to_dict("records")]
    return Skies(first.date(), rows, np.cumsum(shocks, axis=1))
