"""The bodies of the forecast routes."""

import datetime as dt
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel


class Level(StrEnum):
    """Which rung of the ladder answers."""

    CHAMPION = "champion"
    PREVIOUS = "previous"
    BASELINE = "baseline"


class DayOut(BaseModel):
    date: dt.date
    mean: float
    quantiles: dict[str, float]
    open: bool


class ForecastOut(BaseModel):
    """`reason` says why the answer is not the champion's. `degraded`: the database is away, and
    this is what it said `age_seconds` ago."""

    product: str
    location: str
    model_id: UUID | None
    family: str
    level: Level
    reason: str | None
    issued_at: dt.datetime
    data_through: dt.date
    interval_coverage: float | None
    days: list[DayOut]
    degraded: bool = False
    age_seconds: float | None = None


class Part(BaseModel):
    name: str
    units: float


class Explanation(BaseModel):
    """Additive parts, in units of sales; they sum to `mean`."""

    product: str
    location: str
    model_id: UUID
    date: dt.date
    mean: float
    parts: list[Part]
