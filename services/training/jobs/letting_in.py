"""Letting a job's series train, some hundred at a time: no transaction grows with the job.

What does not fit into the first batch is let in by a task of its own, which tells the rest what the
first was told. It is open until the last batch is in, so nothing that it names is dropped.
"""

from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from services.training.jobs.schemas import PRIORITIES, TrainingRequest
from services.training.jobs.settle import job_transaction
from services.training.jobs.store import RELEASE, count_held, lock_job
from services.training.jobs.workshop import Workshop
from services.training.queue.enqueue import NewTask, enqueue
from services.training.queue.finish import finish, note_progress
from services.training.queue.release import release
from services.training.queue.runner import QUEUED_CHANNEL
from services.training.queue.task import ClaimedTask, State

BATCH: Final = 500


async def let_train(session: AsyncSession, task: ClaimedTask, news: dict[str, Any]) -> None:
    """Let the held series of the task's job train, each with `news` in its payload, in the caller's
    transaction: the first batch; the others follow after it, by a task whose place is before the
    batch, not after it: who runs says what time it is in the queue."""
    if await count_held(session, task.group_id) > BATCH:
        job = await lock_job(session, task.group_id)
        priority = PRIORITIES[TrainingRequest.model_validate(job.request).priority]
        rest = NewTask(task.group_id, RELEASE, "the other series", news, priority, cost=0.0)
        await enqueue(session, task.tenant_id, [rest])
    await release(session, task.group_id, news, BATCH)


async def let_in_the_rest(shop: Workshop, task: ClaimedTask) -> None:
    """Let in what is still held. Whoever follows a worker that died over it goes on there."""
    more = True
    while more:
        async with job_transaction(shop, task) as session:
            await note_progress(session, task.claim, {"stage": "release"})
            more = await release(session, task.group_id, task.payload, BATCH)
            if not more:
                await finish(session, task.claim, State.SUCCEEDED)
        shop.bell.ring(QUEUED_CHANNEL)
