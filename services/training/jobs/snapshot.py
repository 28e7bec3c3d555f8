"""From checked series to tasks: datasets stored by digest, what is known already left out."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from services.training.demand.bundle import ENGINE_VERSION
from services.training.demand.config import TrainingConfig
from services.training.demand.outcome import Refused
from services.training.jobs.collect import Checked
from services.training.jobs.pulling import ALL_WELL, Pulled
from services.training.jobs.schemas import PRIORITIES, TrainingRequest
from services.training.jobs.store import TRAIN, series_key
from services.training.jobs.workshop import Workshop
from services.training.models.store import LastTrained, last_trained
from services.training.queue.enqueue import NewTask
from services.training.queue.task import ClaimedTask, Priority, State
from services.training.settings import Settings
from shared.canonical import digest_of_json, sha256_of
from shared.database import tenant_transaction

NOT_ASKED_FOR = frozenset({"max_seconds", "first_params"})
VALUES = (float, int, str)


async def snapshot(
    shop: Workshop,
    task: ClaimedTask,
    request: TrainingRequest,
    checked: Sequence[Checked],
    pulled: Pulled = ALL_WELL,
) -> list[NewTask]:
    """A task for each series: to train once let in, with its dataset stored by digest; or ended
    already, because it is refused, or because a model of the same fingerprint is there."""
    config = training_config(request, shop.settings)
    before = await _last_trained(shop, task, checked)
    tasks = []
    for item in checked:
        dataset = None if item.series is None else await asyncio.to_thread(item.series.to_bytes)
        last = before.get(item.key.id)
        payload = _payload(item, dataset, asdict(_warm(config, last)), request.force)
        payload["degraded"] = pulled.told()
        refused, priority = item.refusal(config), PRIORITIES[request.priority]
        known = None if request.force or last is None else last.fingerprint
        new = _new_task(task, payload, priority, refused, known)
        if dataset is not None and new.state is State.HELD:
            await shop.artifacts.put(str(task.tenant_id), dataset)
        tasks.append(new)
    return tasks


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
    state = State.HELD
    if refused is not None:
        state = State.FAILED
    elif known_fingerprint == payload["fingerprint"]:
        state = State.SKIPPED
    return NewTask(
        group_id=task.group_id,
        kind=TRAIN,
        subject=f"{payload['product']} at {payload['location']}",
        unique_key=series_key(payload["series_id"]),
        payload=payload,
        priority=priority,
        state=state,
        error=None if refused is None else asdict(refused),
    )
