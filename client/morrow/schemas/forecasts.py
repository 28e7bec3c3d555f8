"""Forecasts, and what one day of them is made of."""

from typing import Literal, TypedDict


class ForecastDay(TypedDict):
    """`quantiles` by the levels that were asked for, as they were written."""

    date: str
    mean: float
    quantiles: dict[str, float]
    open: bool


class Forecast(TypedDict):
    """`reason` says why the answer is not the champion's. `degraded`: the database is away, and
    this is what it said `age_seconds` ago."""

    product: str
    location: str
    model_id: str | None
    family: str
    level: Literal["champion", "previous", "baseline"]
    reason: str | None
    issued_at: str
    data_through: str
    interval_coverage: float | None
    days: list[ForecastDay]
    degraded: bool
    age_seconds: float | None


class Part(TypedDict):
    name: str
    units: float


class Explanation(TypedDict):
    """Additive parts, in units of sales; they sum to `mean`."""

    product: str
    location: str
    model_id: str
    date: str
    mean: float
    parts: list[Part]
