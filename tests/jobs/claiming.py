"""A worker's hands: what it claims, with nobody but the test to work on it."""

from datetime import timedelta

from services.training.jobs.workshop import Workshop
from services.training.queue.claim import claim_tasks, read_claimed
from services.training.queue.task import ClaimedTask
from shared.database import tenant_transaction

LEASE = timedelta(minutes=5)


async def claim(workshop: Workshop, kind: str) -> list[ClaimedTask]:
    claims = await claim_tasks(workshop.sessions.kw["bind"], "w", [kind], 100, LEASE)
    tasks = []
    for one in claims:
        async with tenant_transaction(workshop.sessions, one.tenant_id) as session:
            tasks.append(await read_claimed(session, one))
    return tasks
