"""The bodies of the training routes."""

import datetime as dt
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.training.demand.config import Family, Optimizer
from services.training.jobs.events import EventType
from services.training.queue.task import Priority, State
from shared.scalars import Flag, Integer
from shared.text import Name

Chosen = Annotated[list[Name], Field(min_length=1, max_length=10_000)]


class PriorityName(StrEnum):
    INTERACTIVE = "interactive"
    SCHEDULED = "scheduled"
    BACKFILL = "backfill"


PRIORITIES = {
    PriorityName.INTERACTIVE: Priority.INTERACTIVE,
    PriorityName.SCHEDULED: Priority.SCHEDULED,
    PriorityName.BACKFILL: Priority.BACKFILL,
}


class ExecutionMode(StrEnum):
    AUTO = "auto"
    LOCAL = "local"
    CLUSTER = "cluster"


class JobStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = (JobStatus.SUCCEEDED, JobStatus.PARTIAL, JobStatus.FAILED, JobStatus.CANCELLED)


class ProductState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    SKIPPED = "skipped"
    FAILED = "failed"
    CANCELLED = "cancelled"


def product_state(state: State) -> ProductState:
    """A series that waits for its job's pool or for another attempt is as queued as one that
    waits for a worker."""
    waits = state in (State.HELD, State.WAITING)
    return ProductState.QUEUED if waits else ProductState(state.value)


class TrainingRequest(BaseModel):
    """What to train, and how hard to try; every field may be left out."""

    model_config = ConfigDict(extra="forbid")

    products: Chosen | None = None
    locations: Chosen | None = None
    horizon_days: Annotated[Integer, Field(ge=1, le=180)] = 28
    training_window_days: Annotated[Integer, Field(ge=30, le=3650)] = 1095
    training_window_rows: Annotated[Integer, Field(ge=30, le=3650)] | None = None
    optimizer: Optimizer = Optimizer.TPE
    max_trials: Annotated[Integer, Field(ge=1, le=200)] | None = None
    families: Annotated[list[Family], Field(min_length=1)] | None = None
    priority: PriorityName = PriorityName.INTERACTIVE
    execution_mode: ExecutionMode = ExecutionMode.AUTO
    force: Flag = False


class ProductCounts(BaseModel):
    """How many series of the job are in which state."""

    total: int = 0
    queued: int = 0
    running: int = 0
    succeeded: int = 0
    skipped: int = 0
    failed: int = 0
    cancelled: int = 0

    @property
    def ended(self) -> int:
        return self.total - self.queued - self.running


class Execution(BaseModel):
    requested: ExecutionMode
    used: Literal["local", "cluster"] | None
    reason: str | None


class Cause(BaseModel):
    """Why the service itself asked for the job: how many series are in it for which reason."""

    kind: Literal["retraining"]
    series: dict[str, int]


class Warned(BaseModel):
    code: str
    message: str


class JobOut(BaseModel):
    id: UUID
    status: JobStatus
    percent: float
    products: ProductCounts
    execution: Execution
    cause: Cause | None
    warnings: list[Warned]
    eta_seconds: float | None
    created_at: dt.datetime
    started_at: dt.datetime | None
    finished_at: dt.datetime | None


class JobPage(BaseModel):
    items: list[JobOut]
    next_cursor: str | None


class Failure(BaseModel):
    code: str
    message: str


class ProductOut(BaseModel):
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
    model_id: UUID | None
    error: Failure | None


class ProductPage(BaseModel):
    items: list[ProductOut]
    next_cursor: str | None


class EventOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    seq: int
    at: dt.datetime
    type: EventType
    percent: float
    eta_seconds: Annotated[
        float | None,
        Field(description="until the job has ended, as of this event; the last one told holds"),
    ] = None
    message: str
    product: str | None = None
    location: str | None = None
    data: dict[str, Any] | None = None


class EventPage(BaseModel):
    items: list[EventOut]


class TicketBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    job_id: UUID


class TicketOut(BaseModel):
    ticket: str
    expires_at: dt.datetime
