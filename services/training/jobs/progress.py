"""What a child reports on its way, told to those who follow the job."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import structlog
from sqlalchemy.exc import SQLAlchemyError

from services.training.demand.config import Progress
from services.training.jobs.events import EventType, append
from services.training.jobs.percent import measure_work
from services.training.jobs.settle import event_of, job_transaction
from services.training.jobs.store import count_products
from services.training.jobs.workshop import Workshop
from services.training.queue.finish import note_progress
from services.training.queue.task import ClaimedTask, StalePublish

PROGRESS_SECONDS = 1.0

log = structlog.get_logger()


async def announce(shop: Workshop, task: ClaimedTask, type: EventType, doing: str) -> None:
    """Tell that the task is begun, or begun again."""
    again = f", attempt {task.claim.attempt}" if task.claim.attempt > 1 else ""
    event = event_of(task, type, f"{task.subject}: {doing}{again}")
    async with job_transaction(shop, task) as session:
        await note_progress(session, task.claim, {"stage": "started", "fraction": 0.0})
        await append(session, task.group_id, [event])


@asynccontextmanager
async def progress_told(
    shop: Workshop, task: ClaimedTask
) -> AsyncIterator[Callable[[Progress], None]]:
    """Tells, while the context lasts, what is noted with the function it gives."""
    latest = LatestProgress(shop, task)
    telling = asyncio.create_task(latest.tell())
    try:
        yield latest.note
    finally:
        telling.cancel()
        await asyncio.wait([telling])


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
        event = event_of(task, EventType.PRODUCT_PROGRESS, message, data)
        async with job_transaction(self._shop, task) as session:
            await note_progress(session, task.claim, data)
            counts = (await count_products(session, [task.group_id]))[task.group_id]
            work = await measure_work(session, task.group_id, counts)
            percent = work.percent(progress.fraction * task.cost)
            await append(session, task.group_id, [replace(event, percent=percent)])
