"""How the service does, and whom it calls."""

from typing import Literal, TypedDict

State = Literal["closed", "open", "half_open"]


class Live(TypedDict):
    status: Literal["live"]


class Check(TypedDict):
    status: Literal["ok", "failed"]
    detail: str | None


class Ready(TypedDict):
    """`checks` by name: of `database`, `migrations`, `listener`, `model_store` and more."""

    status: Literal["ready", "not_ready"]
    version: str
    checks: dict[str, Check]


class BreakerInstance(TypedDict):
    """One process of the service."""

    instance: str
    role: str
    state: State
    since: str


class CircuitBreaker(TypedDict):
    """All processes together. `tenant_id`: whose it is; null: shared by all."""

    name: str
    tenant_id: str | None
    upstream: str
    state: State
    since: str
    failure_rate: float
    slow_rate: float
    calls: int
    opened_count: int
    last_error: str | None
    instances: list[BreakerInstance]


class BreakerReset(TypedDict):
    name: str
