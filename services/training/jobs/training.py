"""The training of one series: its lock, its child, and its progress on the way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from services.training.demand.config import Progress, TrainingConfig
from services.training.demand.outcome import Refused, Trained
from services.training.jobs.child import Lesson, learn
from services.training.jobs.events import EventType, append
from services.training.jobs.settle import (
    job_transaction,
    percent_done,
    product_event,
    settle_product,
)
from services.training.jobs.store import count_products
from services.training.jobs.workshop import Workshop
from services.training.queue.finish import note_progress
from services.training.queue.locks import LockBusy, LockLost
from services.training.queue.task import ClaimedTask, Snooze, StalePublish, State

BUSY_SECONDS = 2.0
PROGRESS_SECONDS = 1.0
DEADLINE_SLACK_SECONDS = 30.0

log = structlog.get_logger()


@asynccontextmanager
async def series_lock(shop: Workshop, task: ClaimedTask) -> AsyncIterator[None]:
    """The advisory lock of (tenant, location, product); the task waits while another has it."""
    series = (str(task.tenant_id), task.payload["location"], task.payload["product"])
    try:
        async with shop.locks.hold("\x1f".join(series)):
            yield
    except LockBusy:
        raise Snooze(BUSY_SECONDS, "another worker trains this series") from None
    except LockLost:
        raise Snooze(BUSY_SECONDS, "the connection of the locks was lost") from None


async def announce(shop: Workshop, task: ClaimedTask) -> None:
    again = f", attempt {task.claim.attempt}" if task.claim.attempt > 1 else ""
    event = product_event(task, EventType.PRODUCT_STARTED, f"{task.subject}: training{again}")
    async with job_transaction(shop, task) as session:
        await note_progress(session, task.claim, {"stage": "started", "fraction": 0.0})
        await append(session, task.group_id, [event])


async def train_in_child(shop: Workshop, task: ClaimedTask) -> Trained | Refused:
    """Run the core on the task's dataset in a slot of its own."""
    dataset = await shop.artifacts.get(str(task.tenant_id), task.payload["dataset"])
    lesson = Lesson(dataset, config_of(task.payload["config"]))
    latest = LatestProgress(shop, task)
    telling = asyncio.create_task(latest.tell())
    try:
        async with shop.slots.take() as slot:
            deadline = lesson.config.max_seconds + DEADLINE_SLACK_SECONDS
            outcome: Trained | Refused = await slot.run(learn, lesson, latest.note, deadline)
            return outcome
    finally:
        telling.cancel()
        await asyncio.wait([telling])


def config_of(values: dict[str, Any]) -> TrainingConfig:
    """The configuration as the task's payload keeps it."""
    families = values["families"]
    return TrainingConfig(**values | {"families": None if families is None else tuple(families)})


class LatestProgress:
    """What the child last said; told at most once a second, so that only the latest gets a seq."""

    def __init__(self, shop: Workshop, task: ClaimedTask) -> None:
        self._shop = shop
        self._task = task
        self._latest: Progress | None = None

    def note(self, progress: Progress) -> None:
        self._latest = progress

    async def tell(self) -> None:
        """Write the latest progress down, until cancelled or until the task is somebody else's."""
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            progress, self._latest = self._latest, None
            if progress is None:
                continue
            try:
                await self._write(progress)
            except StalePublish:
                return
            except (SQLAlchemyError, OSError) as error:
                log.warning("progress_not_told", error=str(error))

    async def _write(self, progress: Progress) -> None:
        task = self._task
        data = {
            "stage": progress.stage.value,
            "fraction": round(progress.fraction, 3),
            "trials": progress.trials_done,
        }
        message = f"{task.subject}: {progress.stage.value}"
        event = product_event(task, EventType.PRODUCT_PROGRESS, message, data)
        async with job_transaction(self._shop, task) as session:
            await note_progress(session, task.claim, data)
            counts = (await count_products(session, [task.group_id]))[task.group_id]
            percent = percent_done(counts, progress.fraction)
            await append(session, task.group_id, [replace(event, percent=percent)])


async def bury_product(shop: Workshop, task: ClaimedTask, error: dict[str, Any]) -> None:
    """End the series as failed, for a reason that no further attempt will mend."""
    event = product_event(
        task, EventType.PRODUCT_FAILED, f"{task.subject}: {error['message']}", error
    )
    async with job_transaction(shop, task) as session:
        await settle_product(session, task, State.FAILED, event, error=error)
