"""Runs: a job that ended long ago, with its log, its tasks and all else that stands on it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import CursorResult, Executable, delete, exists, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.jobs.schemas import ENDED
from services.training.queue.task import OPEN
from services.training.tables import Job, JobEvent, Retraining, StreamTicket, Table, Task

JOBS_AT_ONCE: Final = 50
PARTS: Final[Sequence[tuple[type[Table], str, Sequence[str]]]] = (
    (JobEvent, "job_id", ("job_id", "seq")),
    (StreamTicket, "job_id", ("digest",)),
    (Retraining, "job_id", ("job_id", "series_id")),
    (Task, "group_id", ("id",)),
)
"""What stands on a job: its table, the column that names the job, and the rest of its key."""


async def prune_runs(age: timedelta, session: AsyncSession, most: int) -> int:
    """Delete at most so many rows of jobs that ended `age` ago; each job after its parts."""
    jobs = await _ended(session, age)
    gone = 0
    for table, job, key in PARTS:
        gone += await _delete_parts(session, table, job, key, jobs, most - gone)
    if gone < most:
        gone += await _delete_jobs(session, jobs[: most - gone])
    return gone


async def _ended(session: AsyncSession, age: timedelta) -> Sequence[UUID]:
    """The oldest of them, locked; one that has an open task is not among them."""
    open_task = exists().where(Task.group_id == Job.id, Task.state.in_([s.value for s in OPEN]))
    found = await session.scalars(
        select(Job.id)
        .where(
            Job.status.in_([status.value for status in ENDED]),
            Job.finished_at < func.now() - age,
            ~open_task,
        )
        .order_by(Job.created_at)
        .limit(JOBS_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    return found.all()


async def _delete_parts(
    session: AsyncSession,
    table: type[Table],
    job: str,
    key: Sequence[str],
    jobs: Sequence[UUID],
    most: int,
) -> int:
    if most <= 0 or not jobs:
        return 0
    columns = [getattr(table, name) for name in key]
    chosen = select(*columns).where(getattr(table, job).in_(jobs)).limit(most)
    return await _count(session, delete(table).where(tuple_(*columns).in_(chosen)))


async def _delete_jobs(session: AsyncSession, jobs: Sequence[UUID]) -> int:
    return await _count(session, delete(Job).where(Job.id.in_(jobs))) if jobs else 0


async def _count(session: AsyncSession, statement: Executable) -> int:
    gone = await session.execute(statement)
    assert isinstance(gone, CursorResult)
    return gone.rowcount
