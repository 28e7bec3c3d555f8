"""Where sales, weather and traffic come from."""

from typing import Any, Literal, TypedDict

from morrow.schemas.problems import Fault
from morrow.schemas.training import Failure

SourceName = Literal["sales", "weather", "traffic"]
SourceKind = Literal["push", "none", "http", "square", "shopify", "open-meteo", "flow"]


class SourceFault(TypedDict):
    """Why a sync failed; `upstream` is the host and port that were asked."""

    code: str
    message: str
    upstream: str | None
    retry_after: float | None
    errors: list[Fault] | None


class Sync(TypedDict):
    """One pull of a source; what it kept stays, also when it failed."""

    id: str
    source: SourceName
    kind: SourceKind
    cause: Literal["asked", "scheduled", "job"]
    status: Literal["queued", "running", "succeeded", "failed"]
    pages: int
    rows: int
    warnings: list[Failure]
    error: SourceFault | None
    created_at: str
    started_at: str | None
    finished_at: str | None


class SyncAsked(TypedDict):
    sync_id: str


class Gap(TypedDict):
    """Days on which nothing is known, both ends among them."""

    location: str
    first: str
    last: str
    days: int


class Freshness(TypedDict):
    """`never`: nothing was pulled yet. `age_seconds`: since the last sync that succeeded."""

    status: Literal["fresh", "stale", "never", "pushed", "none"]
    age_seconds: float | None


class BreakerState(TypedDict):
    """`state` is null while no process has called the upstream."""

    name: str
    state: str | None


class Source(TypedDict):
    """`data_through`: the last day of which something is known at every location that has any."""

    source: SourceName
    kind: SourceKind
    base_url: str | None
    options: dict[str, Any]
    credentials: Literal["none", "sealed", "plain"]
    last_sync: Sync | None
    data_through: str | None
    gaps: list[Gap]
    gap_days: int
    freshness: Freshness
    breaker: BreakerState | None
