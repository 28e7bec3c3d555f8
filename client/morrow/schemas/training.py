"""Training jobs, their events, and when the service trains by itself."""

from typing import Literal, NotRequired, TypedDict

Optimizer = Literal["tpe", "random", "grid", "cmaes"]
Family = Literal["baseline", "prophet", "pooled", "combine"]
Priority = Literal["interactive", "scheduled", "backfill"]
ExecutionMode = Literal["auto", "local", "cluster"]
JobStatus = Literal["queued", "running", "succeeded", "partial", "failed", "cancelled"]
ProductState = Literal["queued", "running", "succeeded", "skipped", "failed", "cancelled"]
EventType = Literal[
    "job.queued",
    "job.started",
    "source.started",
    "source.finished",
    "source.degraded",
    "data.validated",
    "product.started",
    "product.progress",
    "product.trained",
    "product.skipped",
    "product.failed",
    "product.cancelled",
    "job.finished",
]


class Failure(TypedDict):
    code: str
    message: str


class ProductCounts(TypedDict):
    """How many series of the job are in which state."""

    total: int
    queued: int
    running: int
    succeeded: int
    skipped: int
    failed: int
    cancelled: int


class Execution(TypedDict):
    requested: ExecutionMode
    used: Literal["local", "cluster"] | None
    reason: str | None


class Cause(TypedDict):
    """Why the service itself asked for the job: how many series are in it for which reason."""

    kind: Literal["retraining"]
    series: dict[str, int]


class Job(TypedDict):
    id: str
    status: JobStatus
    percent: float
    products: ProductCounts
    execution: Execution
    cause: Cause | None
    warnings: list[Failure]
    eta_seconds: float | None
    created_at: str
    started_at: str | None
    finished_at: str | None


class JobProduct(TypedDict):
    """One series of a job. `stage` is that of the training while it runs, then the model's."""

    product: str
    location: str
    state: ProductState
    stage: str | None
    family: str | None
    trials: int | None
    seconds: float | None
    skill: float | None
    attempt: int
    model_id: str | None
    error: Failure | None


class EventData(TypedDict, total=False):
    """What some events tell besides; there may be more in it."""

    stage: str
    fraction: float
    trials: int
    family: str
    skill: float
    wape: float | None
    baseline_wape: float | None
    seconds: float
    source: str
    rows: int
    status: str
    code: str
    message: str
    queued: int
    skipped: int
    failed: int


class Event(TypedDict):
    """`seq` rises by one within a job, without gaps; `percent` never falls. `eta_seconds`, where it
    is told, is until the job has ended, as of this event."""

    seq: int
    at: str
    type: EventType
    percent: float
    eta_seconds: NotRequired[float | None]
    message: str
    product: NotRequired[str | None]
    location: NotRequired[str | None]
    data: NotRequired[EventData | None]


class EventList(TypedDict):
    items: list[Event]


class StreamTicket(TypedDict):
    """Opens one stream of one job, once."""

    ticket: str
    expires_at: str


class Window(TypedDict, total=False):
    """The last so many days of a series, or its last so many rows; one of both."""

    days: int | None
    rows: int | None


class RetrainingPolicyBody(TypedDict, total=False):
    """When a series is trained again: each of the reasons for itself, None or False for never; what
    is left out takes its default."""

    enabled: bool
    new_rows: int | None
    max_age_days: int | None
    on_degraded_accuracy: bool
    on_corrected_data: bool
    window: Window | None
    cooldown_hours: int


class RetrainingPolicy(RetrainingPolicyBody):
    """The policy that holds; `updated_at` is null while it is the default one."""

    updated_at: str | None
    checked_at: str | None
