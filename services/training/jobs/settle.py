"""How one series of a job ends: its task, what it leaves, its event, and perhaps the job, in one
fenced transaction."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.training.jobs.events import EVENTS_CHANNEL, EventType, NewEvent, append
from services.training.jobs.percent import look
from services.training.jobs.schemas import ENDED, JobStatus, ProductCounts
from services.training.jobs.store import (
    end_job,
    ended_status,
    lock_job,
    locked_job,
)
from services.training.jobs.workshop import Workshop
from services.training.queue.finish import finish
from services.training.queue.task import ClaimedTask, State
from shared.database import tenant_transaction


@asynccontextmanager
async def job_transaction(shop: Workshop, task: ClaimedTask) -> AsyncIterator[AsyncSession]:
    """A transaction of the task's tenant that has the job to itself, and rings once committed.

    The job's row is locked before any task's, everywhere: who waits for it then holds no row that
    the renewal of a lease needs, and a cancellation finds nothing half done."""
    async with tenant_transaction(shop.sessions, task.tenant_id) as session:
        job = await lock_job(session, task.group_id)
        yield session
        del job  # the session knows it until here, and asks for it no second time
    shop.bell.ring(EVENTS_CHANNEL, str(task.group_id))


def event_of(
    task: ClaimedTask,
    type: EventType,
    message: str,
    data: dict[str, Any] | None = None,
) -> NewEvent:
    """About the task's series; of a task that is about all of them, about none."""
    return NewEvent(
        type,
        message,
        product=task.payload.get("product"),
        location=task.payload.get("location"),
        data=data,
    )


async def settle_product(
    session: AsyncSession,
    shop: Workshop,
    task: ClaimedTask,
    state: State,
    event: NewEvent,
    result: dict[str, Any] | None = None,
    error: dict[str, Any] | None = None,
) -> None:
    """Finish the task (or raise `StalePublish`), tell of it, and end the job after its last."""
    await finish(session, task.claim, state, result, error)
    await tell_and_end(session, shop, task, event)


async def tell(
    session: AsyncSession, shop: Workshop, task: ClaimedTask, event: NewEvent
) -> ProductCounts:
    """Append the event with the job's percent by now, and when it will have ended; the states of
    its series."""
    job = await locked_job(session, task.group_id)
    far = await look(session, job, shop.width(job.execution["used"]))
    told = replace(event, percent=far.percent, eta_seconds=far.eta_seconds)
    await append(session, job.id, [told], far.pace)
    return far.counts


async def tell_and_end(
    session: AsyncSession, shop: Workshop, task: ClaimedTask, event: NewEvent
) -> None:
    """Tell the event; end the job when none of it is open."""
    counts = await tell(session, shop, task, event)
    job = await locked_job(session, task.group_id)
    if counts.ended == counts.total and JobStatus(job.status) not in ENDED:
        await end_job(session, job.id, ended_status(counts), summary(counts))


def summary(counts: ProductCounts) -> str:
    named = {
        "trained": counts.succeeded,
        "unchanged": counts.skipped,
        "failed": counts.failed,
        "cancelled": counts.cancelled,
    }
    parts = [f"{count} {name}" for name, count in named.items() if count]
    return f"{counts.total} series: {', '.join(parts) or 'none'}"
