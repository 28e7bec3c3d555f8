"""Cancelling a job: in one transaction nothing of it is open any more."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.training import tables
from services.training.jobs.events import EventType, NewEvent, append
from services.training.jobs.schemas import ENDED, JobStatus
from services.training.jobs.settle import summary
from services.training.jobs.store import TRAIN, count_products, end_job, lock_job
from services.training.queue.finish import cancel_group


async def cancel_job(session: AsyncSession, job_id: UUID) -> None:
    """Cancel every open task of the job and end it; a job that has ended stays as it is."""
    job = await lock_job(session, job_id)
    if JobStatus(job.status) in ENDED:
        return
    cancelled = await cancel_group(session, job_id)
    await append(session, job_id, [_event(task) for task in cancelled if task.kind == TRAIN])
    counts = (await count_products(session, [job_id]))[job_id]
    await end_job(session, job_id, JobStatus.CANCELLED, f"cancelled: {summary(counts)}")


def _event(task: tables.Task) -> NewEvent:
    return NewEvent(
        EventType.PRODUCT_CANCELLED,
        f"{task.subject}: cancelled",
        product=task.payload["product"],
        location=task.payload["location"],
    )
