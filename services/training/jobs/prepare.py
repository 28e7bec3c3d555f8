"""How the first task of a job begins, and how it ends when there is nothing to be done."""

from typing import Any

from services.training.jobs.cancel import cancel_tasks
from services.training.jobs.engine import choose, fault_of_cluster, tell_of_fallback
from services.training.jobs.schemas import ENDED, JobStatus, TrainingRequest
from services.training.jobs.settle import job_transaction
from services.training.jobs.store import count_running, end_job, lock_job, start_job, warn
from services.training.jobs.workshop import Workshop
from services.training.queue.finish import finish
from services.training.queue.task import ClaimedTask, Snooze, State

WAIT_FOR_OTHER_JOBS_SECONDS = 2.0
NO_ROOM = "waited_for_room"


async def start(shop: Workshop, task: ClaimedTask) -> TrainingRequest:
    """Mark the job as running, or wait while the tenant has as many running as it may."""
    most = shop.settings.max_concurrent_training_jobs
    fault = await fault_of_cluster(shop)
    async with job_transaction(shop, task) as session:
        running = await count_running(session, task.tenant_id)
        job = await lock_job(session, task.group_id)  # a cancellation may be under way
        request = TrainingRequest.model_validate(job.request)
        execution = choose(shop, request.execution_mode, fault)
        if job.status == JobStatus.QUEUED:
            if running >= most:
                raise Snooze(WAIT_FOR_OTHER_JOBS_SECONDS, f"{running} jobs of {most} run already")
            job.execution = execution
            await start_job(session, job.id)
            await tell_of_fallback(session, job.id, execution, fault)
    return request


async def tell_no_room(shop: Workshop, task: ClaimedTask, message: str) -> None:
    """Say in the job what it waits for."""
    async with job_transaction(shop, task) as session:
        await warn(session, task.group_id, NO_ROOM, message)


async def fail_job(shop: Workshop, task: ClaimedTask, error: dict[str, Any]) -> None:
    """End a job that could not be prepared, or whose series could not all be let in."""
    async with job_transaction(shop, task) as session:
        await finish(session, task.claim, State.FAILED, error=error)
        job = await lock_job(session, task.group_id)
        if JobStatus(job.status) not in ENDED:
            job.execution = job.execution | {"reason": error["message"]}
            await session.flush()
            await cancel_tasks(session, job.id)
            await end_job(session, job.id, JobStatus.FAILED, error["message"])
