"""What is told of batches that waited, or wait."""

import datetime as dt
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from shared.errors import InputError


class Status(StrEnum):
    WAITING = "waiting"
    APPLIED = "applied"
    REJECTED = "rejected"


class Refusal(BaseModel):
    """Why a batch was refused when it was replayed."""

    code: str
    detail: str
    errors: list[InputError] | None = None


class Receipt(BaseModel):
    """One acknowledged batch. `received` rows came in `bytes`; `position` counts from 1, the next
    to be replayed. `result` is what the request would have been answered."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: str
    status: Status
    received: int
    bytes: int
    received_at: dt.datetime
    ended_at: dt.datetime | None = None
    position: int | None = None
    status_url: str
    result: dict[str, Any] | None = None
    error: Refusal | None = None


class SpoolPage(BaseModel):
    """What of a tenant waits on this host, in its order; `rejected` were refused and are kept."""

    waiting: int
    bytes: int
    rejected: int
    oldest_seconds: float | None
    items: list[Receipt]
    next_cursor: str | None
