"""Following a job: first all that was, then what comes, until it is finished.

The subscription is made before the log is read, so nothing falls between; the doorbell only says
when to read again, and a slow poll reads even if no bell was heard.
"""

from collections.abc import AsyncGenerator, Sequence
from uuid import UUID

from services.training.identity.standing import Standing
from services.training.jobs.events import EVENTS_CHANNEL, read_events
from services.training.jobs.schemas import ENDED, EventOut, JobStatus
from services.training.jobs.store import read_job
from shared.database import Sessions, tenant_transaction
from shared.doorbell import Listener, wait_for_ring

POLL_SECONDS = 3.0


async def follow(
    sessions: Sessions,
    listener: Listener,
    tenant_id: UUID,
    job_id: UUID,
    since: int,
    standing: Standing,
) -> AsyncGenerator[Sequence[EventOut], None]:
    """Batches of the events after `since`, in order, without a gap; ends after the last of a job
    that has ended, or with `KeyEnded` once whoever follows may no longer.

    A batch is empty when nothing came for a while, so that callers can look after their own."""
    async with listener.subscribe(EVENTS_CHANNEL, str(job_id)) as rung:
        standing.wake(rung)
        while True:
            standing.require()
            ended, batch = await _read(sessions, tenant_id, job_id, since)
            if batch:
                yield batch
                since = batch[-1].seq
            elif ended:
                return
            elif not rung.is_set():
                yield batch
                await wait_for_ring(rung, POLL_SECONDS)
            else:
                rung.clear()


async def _read(
    sessions: Sessions, tenant_id: UUID, job_id: UUID, since: int
) -> tuple[bool, Sequence[EventOut]]:
    """Whether the job had ended before the events were read, so that none comes after these."""
    async with tenant_transaction(sessions, tenant_id) as session:
        job = await read_job(session, job_id)
        found = await read_events(session, job_id, since)
        ended = job is None or JobStatus(job.status) in ENDED
        return ended, [EventOut.model_validate(event) for event in found]
