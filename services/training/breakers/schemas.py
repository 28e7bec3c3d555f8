"""Breakers as the API tells of them."""

import datetime as dt
from uuid import UUID

from pydantic import BaseModel, Field

from shared.breaker import State


class BreakerInstanceOut(BaseModel):
    """One process. `half_open` also from when probes would be let in, though nobody came yet."""

    instance: str
    role: str
    state: State
    since: dt.datetime


class BreakerOut(BaseModel):
    """All processes together: `open` while any refuses, since the first did."""

    name: str
    tenant_id: UUID | None = Field(description="whose it is; null: shared by all")
    upstream: str = Field(description="host:port")
    state: State
    since: dt.datetime
    failure_rate: float = Field(description="of the latest calls of all processes")
    slow_rate: float
    calls: int = Field(description="the calls that the rates are of")
    opened_count: int = Field(description="since the processes began")
    last_error: str | None
    instances: list[BreakerInstanceOut]


class BreakerPage(BaseModel):
    items: list[BreakerOut]
    next_cursor: str | None


class ResetAccepted(BaseModel):
    """Every process closes it as soon as it hears of it, within seconds."""

    name: str
