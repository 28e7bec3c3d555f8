"""Batches that wait on the service's disk for its database, and what became of those that did."""

from typing import Any, Literal, TypedDict

from morrow.schemas.problems import Fault


class Refusal(TypedDict):
    """Why a batch was refused when its turn came."""

    code: str
    detail: str
    errors: list[Fault] | None


class Receipt(TypedDict):
    """One acknowledged batch. `position` counts from 1, the next one."""

    id: str
    kind: str
    status: Literal["waiting", "applied", "rejected"]
    received: int
    bytes: int
    received_at: str
    ended_at: str | None
    position: int | None
    status_url: str
    result: dict[str, Any] | None
    error: Refusal | None


class Spool(TypedDict):
    """What of a tenant waits on the host that answered; `rejected` were refused and are kept."""

    waiting: int
    bytes: int
    rejected: int
    oldest_seconds: float | None
    items: list[Receipt]
    next_cursor: str | None
