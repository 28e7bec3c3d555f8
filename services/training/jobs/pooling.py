"""The pool of a job: what its series tell of each other, learnt once before any of them trains."""

import math
from collections.abc import Sequence
from dataclasses import asdict, replace
from random import Random
from typing import Any

from services.training.demand.config import TrainingConfig, wants_pool
from services.training.demand.outcome import Refused
from services.training.demand.pooled.pools import MOST_SERIES
from services.training.jobs.child import POOL_TOO_SMALL, PoolLesson, learn_pools
from services.training.jobs.events import EventType
from services.training.jobs.progress import progress_told
from services.training.jobs.settle import event_of, job_transaction, tell_and_end
from services.training.jobs.store import POOL, warn
from services.training.jobs.training import DEADLINE_SLACK_SECONDS, config_of
from services.training.jobs.workshop import Workshop
from services.training.queue.enqueue import NewTask
from services.training.queue.finish import finish
from services.training.queue.release import release
from services.training.queue.runner import QUEUED_CHANNEL
from services.training.queue.task import ClaimedTask, State

POOL_FAILED = "pool_failed"


def behind_pool(
    task: ClaimedTask, config: TrainingConfig, tasks: Sequence[NewTask]
) -> Sequence[NewTask]:
    """The tasks, with those to train held behind one that learns the pool of all series, where
    the configuration wants a pool and there is something to train."""
    to_train = [new for new in tasks if new.state is State.QUEUED]
    if not to_train or not wants_pool(config):
        return tasks
    datasets = [new.payload["dataset"] for new in tasks if new.payload["dataset"] is not None]
    drawn = _drawn(datasets, config)
    pool = NewTask(
        group_id=task.group_id,
        kind=POOL,
        subject=f"the pool of {len(datasets)} series",
        payload={"datasets": drawn, "config": asdict(config)},
        priority=to_train[0].priority,
        cost=pool_cost(len(drawn)),
    )
    held = [replace(new, state=State.HELD) if new.state is State.QUEUED else new for new in tasks]
    return [pool, *held]


def pool_cost(series: int) -> float:
    """In trainings, as measured on 20 to 400 series of two years: so much later the tenant's own
    series have their turn, and not those of others."""
    return 5.0 * math.sqrt(series)


async def learn_in_child(shop: Workshop, task: ClaimedTask) -> bytes | Refused:
    """Learn from the task's datasets in a slot of its own."""
    owner = str(task.tenant_id)
    datasets = [await shop.artifacts.get(owner, sha256) for sha256 in task.payload["datasets"]]
    lesson = PoolLesson(tuple(datasets), config_of(task.payload["config"]))
    deadline = lesson.config.max_seconds + DEADLINE_SLACK_SECONDS
    async with progress_told(shop, task) as note, shop.slots.take() as slot:
        try:
            outcome: bytes | Refused = await slot.run(learn_pools, lesson, note, deadline)
            return outcome
        finally:
            slot.kill()  # it is several times as large as a child that only trains


async def publish_pools(shop: Workshop, task: ClaimedTask, pools: bytes) -> None:
    """Store the pools and let the job's series train with them, in one fenced transaction."""
    artifact = await shop.artifacts.put(str(task.tenant_id), pools)
    event = event_of(task, EventType.PRODUCT_PROGRESS, f"{task.subject}: learnt")
    async with job_transaction(shop, task) as session:
        await finish(session, task.claim, State.SUCCEEDED, asdict(artifact))
        await release(session, task.group_id, {"pools": artifact.sha256})
        await tell_and_end(session, task, [event])
    shop.bell.ring(QUEUED_CHANNEL)


async def go_without(shop: Workshop, task: ClaimedTask, error: dict[str, Any]) -> None:
    """Let the job's series train without the pool that they hold too little for, and say so."""
    await _let_train(shop, task, error, {"pools": None}, POOL_TOO_SMALL)


async def bury_pool(shop: Workshop, task: ClaimedTask, error: dict[str, Any]) -> None:
    """Let the job's series train without the pool that failed, and say so; the next job trains
    them again."""
    await _let_train(shop, task, error, {"pools": None, "provisional": True}, POOL_FAILED)


async def _let_train(
    shop: Workshop, task: ClaimedTask, error: dict[str, Any], news: dict[str, Any], warning: str
) -> None:
    message = f"{task.subject} was not learnt, each trains by itself: {error['message']}"
    event = event_of(task, EventType.PRODUCT_PROGRESS, message, error)
    async with job_transaction(shop, task) as session:
        await finish(session, task.claim, State.FAILED, error=error)
        await release(session, task.group_id, news)
        await warn(session, task.group_id, warning, message)
        await tell_and_end(session, task, [event])
    shop.bell.ring(QUEUED_CHANNEL)


def _drawn(datasets: Sequence[str], config: TrainingConfig) -> Sequence[str]:
    """As many as a pool learns from: what the worker reads does not grow with the tenant."""
    if len(datasets) <= MOST_SERIES:
        return datasets
    return Random(config.seed).sample(datasets, MOST_SERIES)  # noqa: S311 - a sample, no secret
