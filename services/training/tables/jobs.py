"""What was asked for: jobs, their event log, the tasks of the queue, and the pools they share."""

import datetime as dt
from uuid import UUID

from sqlalchemy import CheckConstraint, Identity, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from services.training.tables.table import EMPTY, NOW, Json, Table, belongs_to


class Job(Table):
    __tablename__ = "jobs"
    __table_args__ = (
        belongs_to("tenants"),
        Index("ix_jobs_created", "tenant_id", "created_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    status: Mapped[str]
    request: Mapped[Json]
    execution: Mapped[Json]
    cause: Mapped[Json | None]
    warnings: Mapped[list[Json]] = mapped_column(server_default=text("'[]'::jsonb"))
    percent: Mapped[float] = mapped_column(server_default=text("0"))
    pace: Mapped[Json | None]
    last_seq: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[dt.datetime] = mapped_column(server_default=NOW)
    started_at: Mapped[dt.datetime | None]
    finished_at: Mapped[dt.datetime | None]


class JobEvent(Table):
    __tablename__ = "job_events"
    __table_args__ = (belongs_to("jobs", "job_id"),)

    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(server_default=text("clock_timestamp()"))
    type: Mapped[str]
    percent: Mapped[float]
    eta_seconds: Mapped[float | None]
    message: Mapped[str]
    product: Mapped[str | None]
    location: Mapped[str | None]
    data: Mapped[Json | None]


class KeptPools(Table):
    """What a job learnt across the tenant's series, for later jobs to train with: of so many
    `series` that the tenant had, days up to `data_through`. They may outlive the job, so they do
    not refer to it."""

    __tablename__ = "kept_pools"
    __table_args__ = (belongs_to("tenants"),)

    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    horizon_days: Mapped[int]
    training_window_days: Mapped[int]
    engine: Mapped[int]
    series: Mapped[int]
    data_through: Mapped[dt.date]
    sha256: Mapped[str]
    bytes: Mapped[int]
    created_at: Mapped[dt.datetime] = mapped_column(server_default=NOW)


class StreamTicket(Table):
    __tablename__ = "stream_tickets"
    __table_args__ = (belongs_to("jobs", "job_id"), belongs_to("api_keys", "key_id"))

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    job_id: Mapped[UUID]
    key_id: Mapped[UUID | None]
    subject: Mapped[str | None]
    caller_until: Mapped[dt.datetime | None]
    expires_at: Mapped[dt.datetime]


class IdempotentAnswer(Table):
    __tablename__ = "idempotent_answers"
    __table_args__ = (belongs_to("tenants"),)

    key: Mapped[str] = mapped_column(primary_key=True)
    request_digest: Mapped[bytes]
    status: Mapped[int | None]
    body: Mapped[Json | None]
    location: Mapped[str | None]
    created_at: Mapped[dt.datetime] = mapped_column(server_default=NOW)


QUEUED = text("state = 'queued'")
RUNNING = text("state = 'running'")


class Task(Table):
    """One claimable unit of work. The queue reads none of `payload`, `progress` or `result`.
    `trace` is a W3C traceparent: what its spans go on with, where spans are told."""

    __tablename__ = "tasks"
    __table_args__ = (
        belongs_to("tenants"),
        Index("ix_tasks_group", "tenant_id", "group_id", "kind", "state"),
        Index("ix_tasks_claim", "kind", "priority", "start_tag", "id", postgresql_where=QUEUED),
        Index("ix_tasks_age", "kind", "priority", "created_at", postgresql_where=QUEUED),
        Index(
            "ix_tasks_backlog",
            "tenant_id",
            "state",
            "kind",
            "priority",
            "start_tag",
            "id",
            postgresql_where=text("state IN ('held', 'waiting', 'queued')"),
        ),
        Index("ix_tasks_waiting", "run_after", postgresql_where=text("state = 'waiting'")),
        Index("ix_tasks_running", "tenant_id", "unique_key", unique=True, postgresql_where=RUNNING),
        Index(
            "ix_tasks_lease",
            "lease_until",
            postgresql_where=text("state = 'running' AND lease_until IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    group_id: Mapped[UUID]
    kind: Mapped[str]
    subject: Mapped[str]
    unique_key: Mapped[str | None]
    payload: Mapped[Json] = mapped_column(server_default=EMPTY)
    priority: Mapped[int] = mapped_column(SmallInteger)
    cost: Mapped[float] = mapped_column(server_default=text("1"))
    start_tag: Mapped[float]
    state: Mapped[str]
    fence: Mapped[int] = mapped_column(server_default=text("0"))
    attempt: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    max_attempts: Mapped[int] = mapped_column(SmallInteger, server_default=text("3"))
    run_after: Mapped[dt.datetime] = mapped_column(server_default=NOW)
    lease_until: Mapped[dt.datetime | None]
    worker: Mapped[str | None]
    trace: Mapped[str | None]
    progress: Mapped[Json | None]
    result: Mapped[Json | None]
    error: Mapped[Json | None]
    created_at: Mapped[dt.datetime] = mapped_column(server_default=NOW)
    started_at: Mapped[dt.datetime | None]
    finished_at: Mapped[dt.datetime | None]


class QueueShare(Table):
    """A tenant's place in a priority class of start-time fair queueing: the finish tag of its
    last task."""

    __tablename__ = "queue_shares"
    __table_args__ = (belongs_to("tenants"),)

    priority: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    last_finish: Mapped[float] = mapped_column(server_default=text("0"))


class QueueTerms(Table):
    """What the operator grants a tenant of the queue; one without a row has a weight of 1, and runs
    as many tasks at once as is usual."""

    __tablename__ = "queue_terms"
    __table_args__ = (
        belongs_to("tenants"),
        CheckConstraint("weight BETWEEN 0.001 AND 1000", name="ck_queue_terms_weight"),
        CheckConstraint("most_running >= 0", name="ck_queue_terms_most_running"),
    )

    weight: Mapped[float] = mapped_column(server_default=text("1"))
    most_running: Mapped[int | None]
