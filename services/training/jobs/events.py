"""The event log of a job: `seq` from 1 without gaps, `percent` never falling.

Appending locks the job's row, so whoever appends next sees the one before. An event is written in
the transaction of what it reports; the doorbell is rung after that has committed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.training import tables
from services.training.jobs.pace import Pace

EVENTS_CHANNEL = "morrow_events"
MOST_EVENTS = 1000


class EventType(StrEnum):
    JOB_QUEUED = "job.queued"
    JOB_STARTED = "job.started"
    SOURCE_STARTED = "source.started"
    SOURCE_FINISHED = "source.finished"
    SOURCE_DEGRADED = "source.degraded"
    DATA_VALIDATED = "data.validated"
    PRODUCT_STARTED = "product.started"
    PRODUCT_PROGRESS = "product.progress"
    PRODUCT_TRAINED = "product.trained"
    PRODUCT_SKIPPED = "product.skipped"
    PRODUCT_FAILED = "product.failed"
    PRODUCT_CANCELLED = "product.cancelled"
    JOB_FINISHED = "job.finished"


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to be; `percent` is the job's so far as this event knows, and `eta_seconds` how long
    it will take, if it knows."""

    type: EventType
    message: str
    percent: float = 0.0
    eta_seconds: float | None = None
    product: str | None = None
    location: str | None = None
    data: dict[str, Any] | None = None


async def append(
    session: AsyncSession, job_id: UUID, events: Sequence[NewEvent], pace: Pace | None = None
) -> None:
    """Give each event its `seq` and write it, in the caller's transaction; with the job's `pace`
    where there is news of it."""
    if not events:
        return
    most = max(event.percent for event in events)
    first_seq, percent, tenant_id = await advance(session, job_id, len(events), most, pace)
    rows = []
    for seq, event in enumerate(events, first_seq):
        percent = max(percent, event.percent)
        rows.append(
            {
                "tenant_id": tenant_id,
                "job_id": job_id,
                "seq": seq,
                "type": event.type.value,
                "percent": round(percent, 2),
                "eta_seconds": event.eta_seconds,
                "message": event.message,
                "product": event.product,
                "location": event.location,
                "data": event.data,
            }
        )
    await session.execute(insert(tables.JobEvent), rows)


async def advance(
    session: AsyncSession,
    job_id: UUID,
    events: int,
    percent: float = 0.0,
    pace: Pace | None = None,
) -> tuple[int, float, UUID]:
    """Lock the job and move its counters on by so many events, up to so many percent: the first
    new seq, the percent before, the tenant."""
    job = (
        await session.execute(
            select(tables.Job.last_seq, tables.Job.percent, tables.Job.tenant_id)
            .where(tables.Job.id == job_id)
            .with_for_update()
        )
    ).one()
    news: dict[str, Any] = {} if pace is None else {"pace": pace.to_json()}
    await session.execute(
        update(tables.Job)
        .where(tables.Job.id == job_id)
        .values(
            last_seq=tables.Job.last_seq + events,
            percent=func.greatest(tables.Job.percent, percent),
            **news,
        )
    )
    return job.last_seq + 1, job.percent, job.tenant_id


async def read_events(
    session: AsyncSession, job_id: UUID, since: int, most: int = MOST_EVENTS
) -> Sequence[tables.JobEvent]:
    """The events after `since`, oldest first, at most `most`."""
    found = await session.scalars(
        select(tables.JobEvent)
        .where(tables.JobEvent.job_id == job_id, tables.JobEvent.seq > since)
        .order_by(tables.JobEvent.seq)
        .limit(most)
    )
    return found.all()
