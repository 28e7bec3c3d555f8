"""The event log of a job: `seq` from 1 without gaps, `percent` never falling.

Appending locks the job's row, so whoever appends next sees the one before. An event is written in
the transaction of what it reports; the doorbell is rung after that has committed.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import accumulate
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.training import tables
from services.training.jobs.pace import Pace

EVENTS_CHANNEL = "morrow_events"
MOST_EVENTS = 1000

# In one statement, for the job is locked meanwhile, and others wait.
APPEND: Final = text("""
WITH before AS (
  SELECT j.tenant_id, j.id, j.last_seq, j.percent FROM jobs j
  WHERE j.tenant_id = app_tenant() AND j.id = :job FOR UPDATE
), moved_on AS (
  UPDATE jobs j SET last_seq = b.last_seq + :count, percent = greatest(b.percent, :percent),
    pace = coalesce(CAST(:pace AS jsonb), j.pace)
  FROM before b WHERE j.tenant_id = b.tenant_id AND j.id = b.id
)
INSERT INTO job_events
  (tenant_id, job_id, seq, type, percent, eta_seconds, message, product, location, data)
SELECT b.tenant_id, b.id, b.last_seq + e.nth, e.told->>'type',
  round(greatest(b.percent, (e.told->>'percent')::float8)::numeric, 2),
  (e.told->>'eta_seconds')::float8, e.told->>'message', e.told->>'product', e.told->>'location',
  nullif(e.told->'data', 'null')
FROM before b, jsonb_array_elements(CAST(:events AS jsonb)) WITH ORDINALITY AS e (told, nth)
""")


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
    percents = list(accumulate((event.percent for event in events), max))
    told = [
        asdict(event) | {"percent": percent}
        for event, percent in zip(events, percents, strict=True)
    ]
    values = {
        "job": job_id,
        "count": len(events),
        "percent": percents[-1],
        "pace": None if pace is None else json.dumps(pace.to_json()),
        "events": json.dumps(told),
    }
    await session.execute(APPEND, values)


async def advance(session: AsyncSession, job_id: UUID, events: int) -> tuple[int, float]:
    """Lock the job and move it on by so many events: the first new seq, and the percent."""
    job = (
        await session.execute(
            select(tables.Job.last_seq, tables.Job.percent)
            .where(tables.Job.id == job_id)
            .with_for_update()
        )
    ).one()
    await session.execute(
        update(tables.Job)
        .where(tables.Job.id == job_id)
        .values(last_seq=tables.Job.last_seq + events)
    )
    return job.last_seq + 1, job.percent


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
