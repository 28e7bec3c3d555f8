"""Which pools a job trains with: those that the tenant keeps, or new ones.

Pools are one model across all of the tenant's series. A job that trains most of these learns them
anew; for one that trains a few it would take longer than the rest of the job, and tell little more.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.demand.config import TrainingConfig, wants_pool
from services.training.jobs.kept_pools import PoolTerms, drop_damaged, newest
from services.training.jobs.pool_artifact import is_whole
from services.training.jobs.schemas import TrainingRequest
from services.training.jobs.settle import job_transaction
from services.training.jobs.store import TRAIN, warn
from services.training.jobs.workshop import Workshop
from services.training.queue.task import ClaimedTask, State
from services.training.tables import KeptPools, Series, Task
from shared.database import tenant_transaction

MOST_DAYS_BEHIND: Final = 14
"""Any pool that a contest judges knows nothing of at least the 14 days before what it forecasts
(`demand/pooled/schedule.py`): as far behind, one serves no worse than it was judged."""

POOLS_DAMAGED: Final = "pools_damaged"


@dataclass(frozen=True, slots=True)
class ToTrain:
    """What the job is to train: so many series, with days up to the last."""

    series: int
    data_through: dt.date


@dataclass(frozen=True, slots=True)
class LearnPools:
    """Learn from all of the tenant's series, so many, before any of the job's trains."""

    series: int
    config: TrainingConfig


@dataclass(frozen=True, slots=True)
class KeepPools:
    """Train at once, with the pools of this digest."""

    sha256: str


PoolChoice = LearnPools | KeepPools | None
"""None: nothing of the job needs pools."""


async def choose_pools(
    shop: Workshop, task: ClaimedTask, request: TrainingRequest, config: TrainingConfig
) -> PoolChoice:
    """For the series of the job that were put in. Kept pools found damaged are dropped on the way,
    and the job warns of it."""
    terms = PoolTerms(request.horizon_days, request.training_window_days)
    async with tenant_transaction(shop.sessions, task.tenant_id) as session:
        to_train = await _to_train(session, task.group_id)
        series = await session.scalar(select(func.count()).select_from(Series)) or 0
        kept = await newest(session, terms)
    if to_train is None or not wants_pool(config):
        return None
    learn = LearnPools(series, config)
    if request.force or _is_most(to_train.series, series):
        return learn
    if kept is None or not _knows_enough(kept, to_train, series):
        return learn
    if not await is_whole(shop.artifacts, str(task.tenant_id), kept.sha256):
        await _drop_and_warn(shop, task, kept)
        return learn
    return KeepPools(kept.sha256)


async def _to_train(session: AsyncSession, job_id: UUID) -> ToTrain | None:
    """None where there is nothing."""
    days = Task.payload["data_through"].astext
    held = Task.group_id == job_id, Task.kind == TRAIN, Task.state == State.HELD.value
    count, last = (await session.execute(select(func.count(), func.max(days)).where(*held))).one()
    return ToTrain(count, dt.date.fromisoformat(last)) if count else None


def _is_most(part: int, series: int) -> bool:
    return 2 * part > series


def _knows_enough(kept: KeptPools, to_train: ToTrain, series: int) -> bool:
    """Whether the pools know most of the tenant's series, and these lately."""
    behind = to_train.data_through - kept.data_through
    return _is_most(kept.series, series) and behind <= dt.timedelta(days=MOST_DAYS_BEHIND)


async def _drop_and_warn(shop: Workshop, task: ClaimedTask, kept: KeptPools) -> None:
    message = f"the pools of job {kept.job_id} are damaged: they are dropped, and learnt again"
    async with job_transaction(shop, task) as session:
        await drop_damaged(session, task.tenant_id, kept.sha256)
        await warn(session, task.group_id, POOLS_DAMAGED, message)
    await shop.artifacts.quarantine(str(task.tenant_id), kept.sha256)
