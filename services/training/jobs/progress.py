"""What a child reports on its way, told to those who follow the job."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from services.training.demand.config import Progress
from services.training.jobs.events import EventType
from services.training.jobs.settle import event_of, job_transaction, tell
from services.training.jobs.store import locked_job
from services.training.jobs.workshop import Workshop
from services.training.queue.finish import note_progress
from services.training.queue.task import ClaimedTask, StalePublish

PROGRESS_SECONDS = 1.0

log = structlog.get_logger()


async def announce(
    shop: Workshop, task: ClaimedTask, type: EventType, doing: str
) -> dict[str, Any]:
    """Tell that the task is begun, or begun again; where the job's children run."""
    again = f", attempt {task.claim.attempt}" if task.claim.attempt > 1 else ""
    event = event_of(task, type, f"{task.subject}: {doing}{again}")
    async with job_transaction(shop, task) as session:
        await note_progress(session, task.claim, {"stage": "started", "fraction": 0.0})
        await tell(session, shop, task, event)
        return (await locked_job(session, task.group_id)).execution


@asynccontextmanager
async def progress_told(
    shop: Workshop, task: ClaimedTask
) -> AsyncIterator[Callable[[Progress], None]]:
    """Tells, while the context lasts, what is noted with the function it gives."""
    latest = LatestProgress(shop, task)
    telling = asyncio.create_task(latest.tell())
    try:
        yield latest.note
        latest.close()
        await asyncio.wait([telling])
    finally:
        telling.cancel()
        await asyncio.wait([telling])


class LatestProgress:
    """What the child last said. Its first news is told at once, then the latest once a second: only
    what is told gets a seq. Neither its beginning nor its end is news: these are told by others."""

    def __init__(self, shop: Workshop, task: ClaimedTask) -> None:
        self._shop = shop
        self._task = task
        self._latest: Progress | None = None
        self._news = asyncio.Event()
        self._closed = asyncio.Event()

    def note(self, progress: Progress) -> None:
        if 0.0 < progress.fraction < 1.0:
            self._latest = progress
            self._news.set()

    def close(self) -> None:
        """No more is told than what is being told just now: who ends the task would wait for it."""
        self._latest = None
        self._closed.set()
        self._news.set()

    async def tell(self) -> None:
        """Write the latest progress down, until closed or until the task is somebody else's."""
        while not self._closed.is_set():
            await self._news.wait()
            self._news.clear()
            progress, self._latest = self._latest, None
            if progress is None:
                continue
            try:
                await self._write(progress)
            except StalePublish:
                return
            except (SQLAlchemyError, OSError) as error:
                log.warning("progress_not_told", error=str(error))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closed.wait(), PROGRESS_SECONDS)

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
            await tell(session, self._shop, task, event)
