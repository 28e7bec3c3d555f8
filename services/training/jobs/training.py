"""The training of one series: its lock, and its child."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from services.training.demand.config import TrainingConfig
from services.training.demand.outcome import Refused, Trained
from services.training.jobs.child import Lesson, SavedPools, learn
from services.training.jobs.engine import Ran, Work, in_child
from services.training.jobs.events import EventType
from services.training.jobs.settle import event_of, job_transaction, settle_product
from services.training.jobs.workshop import Workshop
from services.training.models.store import last_trained
from services.training.queue.locks import LockBusy, LockLost
from services.training.queue.task import ClaimedTask, Snooze, State
from shared.database import tenant_transaction

BUSY_SECONDS = 2.0
DEADLINE_SLACK_SECONDS = 30.0


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


async def is_trained(shop: Workshop, task: ClaimedTask) -> bool:
    """Whether another job published just this training while the task waited for the series."""
    if task.payload["force"]:
        return False
    series_id = task.payload["series_id"]
    async with tenant_transaction(shop.sessions, task.tenant_id) as session:
        last = (await last_trained(session, [series_id])).get(series_id)
    return last is not None and last.fingerprint == task.payload["fingerprint"]


async def train_in_child(
    shop: Workshop, task: ClaimedTask, execution: dict[str, Any]
) -> Ran[Trained | Refused]:
    """Run the core on the task's dataset in a slot of its own."""
    dataset = await shop.artifacts.get(str(task.tenant_id), task.payload["dataset"])
    lesson = Lesson(dataset, config_of(task.payload["config"]), await _pools(shop, task))
    deadline = lesson.config.max_seconds + DEADLINE_SLACK_SECONDS
    return await in_child(shop, task, execution, Work(learn, lesson, deadline))


async def _pools(shop: Workshop, task: ClaimedTask) -> SavedPools | None:
    """What the job's `pool` task or an earlier job's left; None where none was, or it failed."""
    sha256 = task.payload.get("pools")
    return None if sha256 is None else await shop.pools.get(str(task.tenant_id), sha256)


def config_of(values: dict[str, Any]) -> TrainingConfig:
    """The configuration as the task's payload keeps it."""
    families = values["families"]
    return TrainingConfig(**values | {"families": None if families is None else tuple(families)})


async def bury_product(shop: Workshop, task: ClaimedTask, error: dict[str, Any]) -> None:
    """End the series as failed, for a reason that no further attempt will mend."""
    event = event_of(task, EventType.PRODUCT_FAILED, f"{task.subject}: {error['message']}", error)
    async with job_transaction(shop, task) as session:
        await settle_product(session, shop, task, State.FAILED, event, error=error)
