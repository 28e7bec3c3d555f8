"""Publishing: the artifact first, then, fenced and in one transaction, all the rest."""

import asyncio
from datetime import timedelta
from typing import Any

import structlog

from services.training.demand.outcome import Refused, Trained
from services.training.jobs.engine import Ran
from services.training.jobs.events import EventType
from services.training.jobs.lag import Lag
from services.training.jobs.marks import mark_seen
from services.training.jobs.settle import event_of, job_transaction, settle_product
from services.training.jobs.telemetry import count_refusals, count_training
from services.training.jobs.workshop import Workshop
from services.training.metering.usage import Kind, meter
from services.training.models.bundle import Bundle, bundle_of, pack
from services.training.models.new_model import new_model
from services.training.models.retention import Retention, drop_versions, forget_artifacts
from services.training.models.store import publish_model
from services.training.queue.task import ClaimedTask, State

log = structlog.get_logger()


async def publish(shop: Workshop, task: ClaimedTask, trained: Trained, fit: Ran[Any]) -> None:
    """Make the model the series' newest version, unless the task is no longer this claim's."""
    lag = Lag(fit.ended_at)
    lag.note("answer")
    bundle, content = await asyncio.to_thread(_packed, task, trained)
    lag.note("pack")
    artifact = await shop.artifacts.put(str(task.tenant_id), content)
    lag.note("store")
    payload = task.payload
    lineage = {
        "job_id": str(task.group_id),
        "dataset_sha256": payload["dataset"],
        "cause": payload.get("cause"),
        "degraded": payload.get("degraded", []),
    }
    model = new_model(bundle, payload["series_id"], _fingerprint(payload), artifact, lineage)
    told = _told(trained)
    event = event_of(task, EventType.PRODUCT_TRAINED, _message(task, trained), told)
    async with job_transaction(shop, task) as session:
        lag.note("lock")
        published = await publish_model(session, task.tenant_id, model)
        unnamed = await drop_versions(session, published, Retention.of(shop.settings))
        result = told | {"model_id": str(published.id)}
        await mark_seen(session, task.group_id, [payload])
        await settle_product(session, shop, task, State.SUCCEEDED, event, result)
        await meter(session, {Kind.TRAININGS: 1, Kind.CPU_SECONDS: fit.cpu_seconds})
        lag.note("write")
    lag.note("commit")
    count_training(trained)
    log.info("model_published", **lag.steps)
    await forget_artifacts(shop.artifacts, str(task.tenant_id), unnamed)


async def publish_refusal(
    shop: Workshop, task: ClaimedTask, refused: Refused, fit: Ran[Any]
) -> None:
    """A series that cannot be trained has failed, with its reason; the baseline answers for it."""
    error = {"code": str(refused.code), "message": refused.message}
    event = event_of(task, EventType.PRODUCT_FAILED, f"{task.subject}: {refused.message}", error)
    async with job_transaction(shop, task) as session:
        await mark_seen(session, task.group_id, [task.payload])
        await settle_product(session, shop, task, State.FAILED, event, error=error)
        await meter(session, {Kind.CPU_SECONDS: fit.cpu_seconds})
    count_refusals([str(refused.code)])


async def publish_unchanged(shop: Workshop, task: ClaimedTask) -> None:
    """The series has this very model already: the job is answered by it."""
    message = f"{task.subject}: same data and configuration"
    event = event_of(task, EventType.PRODUCT_SKIPPED, message)
    async with job_transaction(shop, task) as session:
        await mark_seen(session, task.group_id, [task.payload])
        await settle_product(session, shop, task, State.SKIPPED, event)


def _fingerprint(payload: dict[str, Any]) -> str:
    """What was trained without the pool it asked for must not look done, should the pool come."""
    fingerprint: str = payload["fingerprint"]
    return f"provisional:{fingerprint}" if payload.get("provisional") else fingerprint


def _packed(task: ClaimedTask, trained: Trained) -> tuple[Bundle, bytes]:
    through = trained.forecast.index[0].date() - timedelta(days=1)
    bundle = bundle_of(trained, task.payload["product"], task.payload["location"], through)
    return bundle, pack(bundle)


def _told(trained: Trained) -> dict[str, Any]:
    return {
        "family": trained.family,
        "stage": trained.stage.value,
        "skill": trained.skill,
        "trials": len(trained.trials),
        "seconds": round(trained.seconds, 3),
        "wape": trained.scores.wape,
        "baseline_wape": trained.baseline_scores.wape,
    }


def _message(task: ClaimedTask, trained: Trained) -> str:
    return f"{task.subject}: {trained.family}, {trained.skill:+.0%} against the baseline"
