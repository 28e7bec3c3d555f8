"""The pool task: what the tenant's series share, learnt before any of a job's trains."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from services.training.demand.outcome import Refused
from services.training.demand.pooled.pools import MOST_SERIES
from services.training.jobs.child import POOL_TOO_SMALL, learn_pools
from services.training.jobs.engine import Ran, Work, in_child
from services.training.jobs.events import EventType
from services.training.jobs.kept_pools import Lore, PoolTerms, keep
from services.training.jobs.letting_in import let_train
from services.training.jobs.pool_artifact import marked
from services.training.jobs.pool_choice import LearnPools
from services.training.jobs.pool_lesson import TenantLesson
from services.training.jobs.schemas import PRIORITIES, TrainingRequest
from services.training.jobs.settle import event_of, job_transaction, tell_and_end
from services.training.jobs.store import POOL, warn
from services.training.jobs.training import DEADLINE_SLACK_SECONDS
from services.training.jobs.workshop import Workshop
from services.training.metering.usage import Kind, meter
from services.training.models.retention import forget_artifacts
from services.training.queue.enqueue import NewTask
from services.training.queue.finish import finish
from services.training.queue.runner import QUEUED_CHANNEL
from services.training.queue.task import ClaimedTask, StalePublish, State
from shared.artifacts import Artifact

POOL_FAILED = "pool_failed"


@dataclass(frozen=True, slots=True)
class LearntPools:
    """The pools' bytes, and what they were learnt from."""

    content: bytes
    lore: Lore


def pool_cost(series: int) -> float:
    """In trainings, as measured on 20 to 400 series of two years: so much later the tenant's own
    series have their turn, and not those of others."""
    return 5.0 * math.sqrt(series)


async def learn_in_child(
    shop: Workshop, task: ClaimedTask, execution: dict[str, Any], taught: TenantLesson
) -> tuple[LearntPools | Refused, float]:
    """Learn in a slot of its own; and the CPU-seconds it took."""
    deadline = taught.lesson.config.max_seconds + DEADLINE_SLACK_SECONDS
    work = Work(learn_pools, taught.lesson, deadline, grows=True)
    ran: Ran[bytes | Refused] = await in_child(shop, task, execution, work)
    outcome = ran.outcome
    pools = outcome if isinstance(outcome, Refused) else LearntPools(outcome, taught.lore)
    return pools, ran.cpu_seconds


async def publish_pools(
    shop: Workshop, task: ClaimedTask, pools: LearntPools, cpu_seconds: float = 0.0
) -> None:
    """Store the pools, keep them for later jobs in place of older ones, and let the job's series
    train with them: the rows in one fenced transaction."""
    owner = str(task.tenant_id)
    artifact = await shop.artifacts.put(owner, marked(pools.content))
    try:
        dropped = await _keep_and_release(shop, task, pools.lore, artifact, cpu_seconds)
    except StalePublish:
        await forget_artifacts(shop.artifacts, owner, [artifact.sha256])
        raise
    shop.bell.ring(QUEUED_CHANNEL)
    await forget_artifacts(shop.artifacts, owner, dropped)


async def _keep_and_release(
    shop: Workshop, task: ClaimedTask, lore: Lore, artifact: Artifact, cpu_seconds: float
) -> Sequence[str]:
    """Returns the digests of pools that are kept no longer."""
    event = event_of(task, EventType.PRODUCT_PROGRESS, f"{task.subject}: learnt")
    async with job_transaction(shop, task) as session:
        await finish(session, task.claim, State.SUCCEEDED, asdict(artifact))
        dropped = await keep(session, task, _terms(task), lore, artifact)
        await let_train(session, task, {"pools": artifact.sha256})
        await tell_and_end(session, shop, task, event)
        await meter(session, {Kind.CPU_SECONDS: cpu_seconds})
    return dropped


async def go_without(
    shop: Workshop, task: ClaimedTask, error: dict[str, Any], cpu_seconds: float
) -> None:
    """Let the job's series train without the pool that they hold too little for, and say so."""
    await _let_train(shop, task, error, {"pools": None}, POOL_TOO_SMALL, cpu_seconds)


async def bury_pool(shop: Workshop, task: ClaimedTask, error: dict[str, Any]) -> None:
    """Let the job's series train without the pool that failed, and say so; the next job trains
    them again."""
    await _let_train(shop, task, error, {"pools": None, "provisional": True}, POOL_FAILED)


async def _let_train(
    shop: Workshop,
    task: ClaimedTask,
    error: dict[str, Any],
    news: dict[str, Any],
    warning: str,
    cpu_seconds: float = 0.0,
) -> None:
    message = f"{task.subject} was not learnt, each trains by itself: {error['message']}"
    event = event_of(task, EventType.PRODUCT_PROGRESS, message, error)
    async with job_transaction(shop, task) as session:
        await finish(session, task.claim, State.FAILED, error=error)
        await let_train(session, task, news)
        await warn(session, task.group_id, warning, message)
        await tell_and_end(session, shop, task, event)
        await meter(session, {Kind.CPU_SECONDS: cpu_seconds})
    shop.bell.ring(QUEUED_CHANNEL)


def pool_task(task: ClaimedTask, request: TrainingRequest, choice: LearnPools) -> NewTask:
    """What the job's series wait for."""
    window_days, series = request.training_window_days, choice.series
    return NewTask(
        group_id=task.group_id,
        kind=POOL,
        subject=f"the pool of {series} series",
        payload={"config": asdict(choice.config), "training_window_days": window_days},
        priority=PRIORITIES[request.priority],
        cost=pool_cost(min(series, MOST_SERIES)),
    )


def _terms(task: ClaimedTask) -> PoolTerms:
    payload = task.payload
    return PoolTerms(payload["config"]["horizon_days"], payload["training_window_days"])
