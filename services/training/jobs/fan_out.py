"""The tasks of a job's series: put in a batch at a time, held, and let in once all are there.

Every batch is a short transaction, fenced by the claim of `prepare`: who was replaced puts nothing
in, and who follows goes on after what is there. Until `prepare` has ended nothing of the job runs,
so nobody takes what is there for all of it.
"""

from collections.abc import Sequence
from typing import Final, assert_never

from sqlalchemy.ext.asyncio import AsyncSession

from services.training.jobs.admission import require_room, require_size
from services.training.jobs.events import EventType, NewEvent, append
from services.training.jobs.kept_pools import require_kept
from services.training.jobs.letting_in import let_train
from services.training.jobs.marks import mark_seen
from services.training.jobs.pool_choice import KeepPools, LearnPools, PoolChoice
from services.training.jobs.pooling import pool_task
from services.training.jobs.schemas import ProductCounts, TrainingRequest
from services.training.jobs.settle import job_transaction, tell_and_end
from services.training.jobs.store import count_products
from services.training.jobs.telemetry import count_refusals
from services.training.jobs.workshop import Workshop
from services.training.queue.enqueue import NewTask, enqueue
from services.training.queue.finish import finish, note_progress
from services.training.queue.runner import QUEUED_CHANNEL
from services.training.queue.task import ClaimedTask, Refused, State

NOTHING_TO_TRAIN: Final = "nothing_to_train"
ENDED_EARLY = (State.SKIPPED, State.FAILED)


async def put_in(shop: Workshop, task: ClaimedTask, tasks: Sequence[NewTask]) -> None:
    """Put these in, and tell of those that have ended already; or raise `Refused` where the job
    is larger than its tenant's queue."""
    ended = [new for new in tasks if new.state in ENDED_EARLY]
    async with job_transaction(shop, task) as session:
        await note_progress(session, task.claim, {"stage": "prepare"})
        await enqueue(session, task.tenant_id, tasks)
        await require_size(session, task.group_id)
        await mark_seen(session, task.group_id, [new.payload for new in ended])
        await append(session, task.group_id, [_ended_event(new) for new in ended])
    count_refusals(new.error["code"] for new in ended if new.error is not None)


async def fan_out(
    shop: Workshop, task: ClaimedTask, request: TrainingRequest, choice: PoolChoice
) -> None:
    """Finish this task and let the series train, after a task for their pools where these are to
    be learnt: in one transaction. Or raise `Snooze` where the kept pools that were chosen have
    been replaced, or the tenant has no room for so many; `Refused` where there is no series."""
    async with job_transaction(shop, task) as session:
        await finish(session, task.claim, State.SUCCEEDED)
        if isinstance(choice, KeepPools):
            await require_kept(session, task.tenant_id, {choice.sha256})
        await require_room(session, task.tenant_id, task.group_id)
        await _begin(session, task, request, choice)
        counts = (await count_products(session, [task.group_id]))[task.group_id]
        if counts.total == 0:
            raise Refused(
                NOTHING_TO_TRAIN, "no sales came of what the job wants: push or pull some"
            )
        await tell_and_end(session, shop, task, _validated(counts, choice))
    shop.bell.ring(QUEUED_CHANNEL)


async def _begin(
    session: AsyncSession, task: ClaimedTask, request: TrainingRequest, choice: PoolChoice
) -> None:
    match choice:
        case None:
            await let_train(session, task, {})
        case KeepPools(sha256=sha256):
            await let_train(session, task, {"pools": sha256})
        case LearnPools():
            await enqueue(session, task.tenant_id, [pool_task(task, request, choice)])
        case _:
            assert_never(choice)


def _validated(counts: ProductCounts, choice: PoolChoice) -> NewEvent:
    message = (
        f"{counts.total} series: {counts.queued} to train, "
        f"{counts.skipped} unchanged, {counts.failed} refused"
    )
    if isinstance(choice, KeepPools):
        message += ", with the pools of an earlier job"
    found = {"queued": counts.queued, "skipped": counts.skipped, "failed": counts.failed}
    data = {state: count for state, count in found.items() if count}
    return NewEvent(EventType.DATA_VALIDATED, message, data=data)


def _ended_event(new: NewTask) -> NewEvent:
    if new.state is State.SKIPPED:
        type, message = EventType.PRODUCT_SKIPPED, f"{new.subject}: same data and configuration"
    else:
        assert new.error is not None
        type, message = EventType.PRODUCT_FAILED, f"{new.subject}: {new.error['message']}"
    return NewEvent(
        type,
        message,
        product=new.payload["product"],
        location=new.payload["location"],
        data=new.error,
    )
