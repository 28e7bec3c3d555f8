"""The first task of a job: which series, on which data, and one task for each."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from services.training.demand.bundle import ENGINE_VERSION
from services.training.demand.config import TrainingConfig
from services.training.demand.findings import Finding, Severity, Subject
from services.training.demand.quality import Limits, inspect_history
from services.training.demand.series import Series
from services.training.jobs.events import EventType, NewEvent
from services.training.jobs.schemas import (
    ENDED,
    PRIORITIES,
    ExecutionMode,
    JobStatus,
    TrainingRequest,
)
from services.training.jobs.settle import ringing, tell_and_end
from services.training.jobs.store import (
    TRAIN,
    count_running,
    end_job,
    lock_job,
    start_job,
)
from services.training.jobs.workshop import Workshop
from services.training.models.store import latest_fingerprints
from services.training.queue.enqueue import NewTask, enqueue
from services.training.queue.finish import finish
from services.training.queue.runner import QUEUED_CHANNEL
from services.training.queue.task import ClaimedTask, Priority, Refused, Snooze, State
from services.training.sales.assemble import SeriesKey
from services.training.sales.snapshot import list_series, read_series
from services.training.settings import Settings
from shared.canonical import canonical_json
from shared.database import tenant_transaction

WAIT_FOR_OTHER_JOBS_SECONDS = 2.0
BATCH = 50


@dataclass(frozen=True, slots=True)
class Checked:
    """A series, and what there is to say about its data; no series where no sale is known."""

    key: SeriesKey
    series: Series | None
    findings: tuple[Finding, ...]

    @property
    def refusal(self) -> dict[str, Any] | None:
        """Why it is not worth training, as an error's code and message."""
        if self.series is None:
            return {"code": "no_sales", "message": "no day with a known quantity: send sales"}
        for finding in self.findings:
            if finding.severity is Severity.REFUSAL:
                return {"code": finding.code.value, "message": f"{finding.message}; {finding.fix}"}
        return None


async def start(shop: Workshop, task: ClaimedTask) -> TrainingRequest:
    """Mark the job as running, or wait while the tenant has as many running as it may."""
    most = shop.settings.max_concurrent_training_jobs
    async with ringing(shop, task) as session:
        running = await count_running(session, task.tenant_id)
        job = await lock_job(session, task.group_id)  # a cancellation may be under way
        request = TrainingRequest.model_validate(job.request)
        if request.execution_mode is ExecutionMode.CLUSTER:
            raise Refused("cluster_unavailable", "no cluster is configured: use `auto` or `local`")
        if job.status == JobStatus.QUEUED:
            if running >= most:
                raise Snooze(WAIT_FOR_OTHER_JOBS_SECONDS, f"{running} jobs of {most} run already")
            await start_job(session, job.id)
    return request


async def collect(
    shop: Workshop, task: ClaimedTask, request: TrainingRequest
) -> list[tuple[SeriesKey, Series | None]]:
    """Every series the job asks for, with all that is known about its days."""
    async with tenant_transaction(shop.sessions, task.tenant_id) as session:
        keys = await list_series(session, request.products, request.locations)
    found: dict[int, Series] = {}
    for first in range(0, len(keys), BATCH):
        async with tenant_transaction(shop.sessions, task.tenant_id) as session:
            found |= await read_series(
                session,
                keys[first : first + BATCH],
                horizon_days=request.horizon_days,
                window_days=request.training_window_days,
            )
    return [(key, found.get(key.id)) for key in keys]


def validate(shop: Workshop, collected: Sequence[tuple[SeriesKey, Series | None]]) -> list[Checked]:
    """What the data of each series is fit for."""
    limits = Limits(shop.settings.min_training_data_days, intermittent_allowed=True)
    return [
        Checked(
            key,
            series,
            ()
            if series is None
            else tuple(inspect_history(Subject(key.product, key.location), series.history, limits)),
        )
        for key, series in collected
    ]


async def snapshot(
    shop: Workshop, task: ClaimedTask, request: TrainingRequest, checked: Sequence[Checked]
) -> list[NewTask]:
    """A task for each series: to train, with its dataset stored by digest; or ended already,
    because it is refused, or because a model of the same fingerprint is there."""
    config = asdict(training_config(request, shop.settings))
    known = await _known_fingerprints(shop, task, request, checked)
    tasks = []
    for item in checked:
        dataset = b"" if item.series is None else await asyncio.to_thread(item.series.to_bytes)
        payload = _payload(item.key, hashlib.sha256(dataset).hexdigest(), config)
        new = _new_task(task.group_id, item, payload, PRIORITIES[request.priority], known)
        if new.state is State.QUEUED:
            await shop.artifacts.put(str(task.tenant_id), dataset)
        tasks.append(new)
    return tasks


async def fan_out(shop: Workshop, task: ClaimedTask, tasks: Sequence[NewTask]) -> None:
    """Put the tasks in and finish this one, in one transaction."""
    events = [_validated(tasks), *(_ended_event(new) for new in tasks if new.state in ENDED_EARLY)]
    async with ringing(shop, task) as session:
        await finish(session, task.claim, State.SUCCEEDED)
        await enqueue(session, task.tenant_id, tasks)
        await tell_and_end(session, task, events)
    shop.bell.ring(QUEUED_CHANNEL)


async def fail_job(shop: Workshop, task: ClaimedTask, error: dict[str, Any]) -> None:
    """End a job that could not even be prepared."""
    async with ringing(shop, task) as session:
        await finish(session, task.claim, State.FAILED, error=error)
        job = await lock_job(session, task.group_id)
        if JobStatus(job.status) not in ENDED:
            job.execution = job.execution | {"reason": error["message"]}
            await session.flush()
            await end_job(session, job.id, JobStatus.FAILED, error["message"])


ENDED_EARLY = (State.SKIPPED, State.FAILED)


def training_config(request: TrainingRequest, settings: Settings) -> TrainingConfig:
    return TrainingConfig(
        horizon_days=request.horizon_days,
        optimizer=request.optimizer.value,
        max_trials=request.max_trials,
        families=None if request.families is None else tuple(f.value for f in request.families),
        min_training_days=settings.min_training_data_days,
        max_seconds=settings.max_training_time_minutes * 60,
    )


def fingerprint(config: dict[str, Any], dataset_sha256: str) -> str:
    """SHA-256 over configuration, data and engine; how long a training may take changes nothing."""
    asked = {name: value for name, value in config.items() if name != "max_seconds"}
    content = {"config": asked, "dataset": dataset_sha256, "engine": ENGINE_VERSION}
    return hashlib.sha256(canonical_json(content)).hexdigest()


async def _known_fingerprints(
    shop: Workshop, task: ClaimedTask, request: TrainingRequest, checked: Sequence[Checked]
) -> dict[int, str]:
    if request.force:
        return {}
    async with tenant_transaction(shop.sessions, task.tenant_id) as session:
        return await latest_fingerprints(session, [item.key.id for item in checked])


def _payload(key: SeriesKey, dataset: str, config: dict[str, Any]) -> dict[str, Any]:
    return {
        "series_id": key.id,
        "product": key.product,
        "location": key.location,
        "dataset": dataset,
        "fingerprint": fingerprint(config, dataset),
        "config": config,
    }


def _new_task(
    job_id: UUID,
    item: Checked,
    payload: dict[str, Any],
    priority: Priority,
    known: dict[int, str],
) -> NewTask:
    state, error = State.QUEUED, item.refusal
    if error is not None:
        state = State.FAILED
    elif known.get(item.key.id) == payload["fingerprint"]:
        state = State.SKIPPED
    subject = f"{item.key.product} at {item.key.location}"
    return NewTask(job_id, TRAIN, subject, payload, priority, state=state, error=error)


def _validated(tasks: Sequence[NewTask]) -> NewEvent:
    counts = Counter(new.state.value for new in tasks)
    message = (
        f"{len(tasks)} series: {counts[State.QUEUED]} to train, {counts[State.SKIPPED]} unchanged, "
        f"{counts[State.FAILED]} refused"
    )
    return NewEvent(EventType.DATA_VALIDATED, message, data=dict(counts))


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
