"""From checked series to tasks: datasets stored by digest, what is known already left out."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from services.training.demand.bundle import ENGINE_VERSION
from services.training.demand.config import TrainingConfig
from services.training.demand.outcome import Refused
from services.training.jobs.admission import require_room
from services.training.jobs.collect import Checked
from services.training.jobs.events import EventType, NewEvent
from services.training.jobs.kept_pools import require_kept
from services.training.jobs.marks import mark_seen
from services.training.jobs.schemas import (
    PRIORITIES,
    ProductState,
    TrainingRequest,
    product_state,
)
from services.training.jobs.settle import job_transaction, tell_and_end
from services.training.jobs.store import TRAIN
from services.training.jobs.workshop import Workshop
from services.training.models.store import LastTrained, last_trained
from services.training.queue.enqueue import NewTask, enqueue
from services.training.queue.finish import finish
from services.training.queue.runner import QUEUED_CHANNEL
from services.training.queue.task import WAITS, ClaimedTask, Priority, State
from services.training.settings import Settings
from shared.canonical import digest_of_json, sha256_of
from shared.database import tenant_transaction

NOT_ASKED_FOR = frozenset({"max_seconds", "first_params"})
VALUES = (float, int, str)
ENDED_EARLY = (State.SKIPPED, State.FAILED)


async def snapshot(
    shop: Workshop, task: ClaimedTask, request: TrainingRequest, checked: Sequence[Checked]
) -> list[NewTask]:
    """A task for each series: to train, with its dataset stored by digest; or ended already,
    because it is refused, or because a model of the same fingerprint is there."""
    config = training_config(request, shop.settings)
    before = await _last_trained(shop, task, checked)
    tasks = []
    for item in checked:
        dataset = None if item.series is None else await asyncio.to_thread(item.series.to_bytes)
        last = before.get(item.key.id)
        payload = _payload(item, dataset, asdict(_warm(config, last)), request.force)
        refused, priority = item.refusal(config), PRIORITIES[request.priority]
        known = None if request.force or last is None else last.fingerprint
        new = _new_task(task, payload, priority, refused, known)
        if dataset is not None and new.state is State.QUEUED:
            await shop.artifacts.put(str(task.tenant_id), dataset)
        tasks.append(new)
    return tasks


async def fan_out(shop: Workshop, task: ClaimedTask, tasks: Sequence[NewTask]) -> None:
    """Put the tasks in and finish this one, in one transaction; or raise `Snooze` where the kept
    pools that they name have been replaced, or the tenant has no room for so many."""
    events = [_validated(tasks), *(_ended_event(new) for new in tasks if new.state in ENDED_EARLY)]
    async with job_transaction(shop, task) as session:
        await finish(session, task.claim, State.SUCCEEDED)
        await require_kept(session, task.tenant_id, _kept_pools(tasks))
        await require_room(session, task.tenant_id, sum(new.state in WAITS for new in tasks))
        await enqueue(session, task.tenant_id, tasks)
        ended = [new.payload for new in tasks if new.kind == TRAIN and new.state in ENDED_EARLY]
        await mark_seen(session, task.group_id, ended)
        await tell_and_end(session, task, events)
    shop.bell.ring(QUEUED_CHANNEL)


def training_config(request: TrainingRequest, settings: Settings) -> TrainingConfig:
    return TrainingConfig(
        horizon_days=request.horizon_days,
        optimizer=request.optimizer.value,
        max_trials=request.max_trials,
        families=None if request.families is None else tuple(f.value for f in request.families),
        min_training_days=settings.min_training_data_days,
        max_seconds=settings.max_training_time_minutes * 60,
    )


def fingerprint(config: dict[str, Any], dataset_sha256: str | None) -> str:
    """SHA-256 over configuration, data and engine; how long a training may take, and where its
    search begins, make no other training of it."""
    asked = {name: value for name, value in config.items() if name not in NOT_ASKED_FOR}
    content = {"config": asked, "dataset": dataset_sha256, "engine": ENGINE_VERSION}
    return digest_of_json(content)


async def _last_trained(
    shop: Workshop, task: ClaimedTask, checked: Sequence[Checked]
) -> dict[int, LastTrained]:
    async with tenant_transaction(shop.sessions, task.tenant_id) as session:
        return await last_trained(session, [item.key.id for item in checked])


def _warm(config: TrainingConfig, last: LastTrained | None) -> TrainingConfig:
    """The search tries the last model's parameters right after the defaults."""
    if last is None:
        return config
    values = {name: value for name, value in last.params.items() if isinstance(value, VALUES)}
    return replace(config, first_params=values or None)


def _payload(
    item: Checked, dataset: bytes | None, config: dict[str, Any], force: bool
) -> dict[str, Any]:
    sha256 = None if dataset is None else sha256_of(dataset)
    through = None if item.series is None else item.series.data_through.date().isoformat()
    return {
        "series_id": item.key.id,
        "product": item.key.product,
        "location": item.key.location,
        "dataset": sha256,
        "data_through": through,
        "fingerprint": fingerprint(config, sha256),
        "config": config,
        "force": force,
        "growth": asdict(item.growth),
        "cause": item.cause,
    }


def _new_task(
    task: ClaimedTask,
    payload: dict[str, Any],
    priority: Priority,
    refused: Refused | None,
    known_fingerprint: str | None,
) -> NewTask:
    state = State.QUEUED
    if refused is not None:
        state = State.FAILED
    elif known_fingerprint == payload["fingerprint"]:
        state = State.SKIPPED
    return NewTask(
        group_id=task.group_id,
        kind=TRAIN,
        subject=f"{payload['product']} at {payload['location']}",
        unique_key=f"series:{payload['series_id']}",
        payload=payload,
        priority=priority,
        state=state,
        error=None if refused is None else asdict(refused),
    )


def _kept_pools(tasks: Sequence[NewTask]) -> set[str]:
    return {new.payload["pools"] for new in tasks if "pools" in new.payload}


def _validated(tasks: Sequence[NewTask]) -> NewEvent:
    series = [new for new in tasks if new.kind == TRAIN]
    counts = Counter(product_state(new.state) for new in series)
    message = (
        f"{len(series)} series: {counts[ProductState.QUEUED]} to train, "
        f"{counts[ProductState.SKIPPED]} unchanged, {counts[ProductState.FAILED]} refused"
    )
    if _kept_pools(tasks):
        message += ", with the pools of an earlier job"
    return NewEvent(
        EventType.DATA_VALIDATED,
        message,
        data={state.value: count for state, count in counts.items()},
    )


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
