"""Cancelling a job: in one transaction nothing of it is open any more."""

from typing import Final
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.training import tables
from services.training.jobs.events import EventType, advance
from services.training.jobs.schemas import ENDED, JobStatus
from services.training.jobs.settle import summary
from services.training.jobs.store import TRAIN, count_products, end_job, lock_job
from services.training.queue.finish import cancel_group
from services.training.queue.task import State

TELL: Final = text("""
INSERT INTO job_events (tenant_id, job_id, seq, type, percent, message, product, location)
SELECT t.tenant_id, t.group_id, :first + row_number() OVER (ORDER BY t.id) - 1, :type, :percent,
  t.subject || ': cancelled', t.payload->>'product', t.payload->>'location'
FROM tasks t WHERE t.tenant_id = app_tenant() AND t.group_id = :job AND t.kind = :kind
  AND t.state = 'cancelled'
""")


async def cancel_job(session: AsyncSession, job_id: UUID) -> None:
    """Cancel every open task of the job and end it; a job that has ended stays as it is."""
    job = await lock_job(session, job_id)
    if JobStatus(job.status) in ENDED:
        return
    await cancel_tasks(session, job_id)
    counts = (await count_products(session, [job_id]))[job_id]
    await end_job(session, job_id, JobStatus.CANCELLED, f"cancelled: {summary(counts)}")


async def cancel_tasks(session: AsyncSession, job_id: UUID) -> None:
    """Cancel every open task of a job that the caller has locked and is about to end, and tell of
    each series. A large job has many: neither tasks nor events come here."""
    await cancel_group(session, job_id)
    cancelled = select(func.count()).where(
        tables.Task.group_id == job_id,
        tables.Task.kind == TRAIN,
        tables.Task.state == State.CANCELLED.value,
    )
    count = await session.scalar(cancelled) or 0
    first, percent = await advance(session, job_id, count)
    told = {
        "job": job_id,
        "kind": TRAIN,
        "first": first,
        "percent": round(percent, 2),
        "type": EventType.PRODUCT_CANCELLED.value,
    }
    await session.execute(TELL, told)
