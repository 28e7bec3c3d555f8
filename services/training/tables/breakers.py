"""What the processes tell of their circuit breakers."""

import datetime as dt
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from services.training.tables.table import NOW, Table

EVERYBODY: Final = UUID(int=0)
"""Stands for the tenant in rows that are no tenant's. The wall shows them to nobody who names
himself; the functions that cross it know them."""


class CircuitBreaker(Table):
    """One process's view of one upstream."""

    __tablename__ = "circuit_breakers"

    name: Mapped[str] = mapped_column(primary_key=True)
    instance: Mapped[str] = mapped_column(primary_key=True)
    upstream: Mapped[str]
    state: Mapped[str]
    since: Mapped[dt.datetime]
    failure_rate: Mapped[float]
    slow_rate: Mapped[float]
    calls: Mapped[int]
    opened_count: Mapped[int]
    last_error: Mapped[str | None]


class BreakerInstance(Table):
    """A process that has breakers, and when it last said so. Always `EVERYBODY`'s."""

    __tablename__ = "breaker_instances"

    instance: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str]
    seen_at: Mapped[dt.datetime]


class BreakerReset(Table):
    """What the operator asked every process to close. Always `EVERYBODY`'s."""

    __tablename__ = "breaker_resets"

    name: Mapped[str] = mapped_column(primary_key=True)
    asked_at: Mapped[dt.datetime] = mapped_column(server_default=NOW)
