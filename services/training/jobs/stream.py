"""Following a job: first all that was, then what comes, until it is finished.

The subscription is made before the log is read, so nothing falls between; the doorbell only says
when to read again, and a slow poll reads even if no bell was heard.
"""

from collections.abc import AsyncGenerator, Sequence
from uuid import UUID

from services.training.jobs.events import EVENTS_CHANNEL, EventType, read_events
from services.training.jobs.schemas import EventOut
from shared.database import Sessions, tenant_transaction
from shared.doorbell import Listener, wait_for_ring

POLL_SECONDS = 3.0


async def follow(
    sessions: Sessions, listener: Listener, tenant_id: UUID, job_id: UUID, since: int
) -> AsyncGenerator[Sequence[EventOut], None]:
    """Batches of the events after `since`, in order, without a gap; ends after `job.finished`.

    A batch is empty when nothing came for a while, so that callers can look after their own."""
    async with listener.subscribe(EVENTS_CHANNEL, str(job_id)) as rung:
        while True:
            batch = await _read(sessions, tenant_id, job_id, since)
            if batch or not rung.is_set():
                yield batch
            if batch:
                since = batch[-1].seq
                if batch[-1].type is EventType.JOB_FINISHED:
                    return
            else:
                await wait_for_ring(rung, POLL_SECONDS)


async def _read(
    sessions: Sessions, tenant_id: UUID, job_id: UUID, since: int
) -> Sequence[EventOut]:
    async with tenant_transaction(sessions, tenant_id) as session:
        found = await read_events(session, job_id, since)
        return [EventOut.model_validate(event) for event in found]
