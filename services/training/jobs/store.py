"""Jobs in the database. A job's products are its `train` tasks: their states are counted, not kept
a second time."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import func, select, text, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.training import tables
from services.training.jobs.events import EventType, NewEvent, append
from services.training.jobs.pace import Pace
from services.training.jobs.schemas import (
    ENDED,
    Cause,
    ExecutionMode,
    JobOut,
    JobStatus,
    ProductCounts,
    TrainingRequest,
    product_state,
)
from services.training.queue.task import OPEN, State
from shared.database import allow_waiting, end_soon

PREPARE = "prepare"
POOL = "pool"
TRAIN = "train"
RELEASE = "release"
FINISHED_PERCENT = 100.0


async def add_job(
    session: AsyncSession,
    tenant_id: UUID,
    job_id: UUID,
    request: TrainingRequest,
    cause: Cause | None = None,
) -> None:
    """A queued job, with the first event of its log; a `cause` where nobody asked for it."""
    mode = request.execution_mode
    used = "local" if mode is ExecutionMode.LOCAL else None  # the worker that takes the job says
    session.add(
        tables.Job(
            tenant_id=tenant_id,
            id=job_id,
            status=JobStatus.QUEUED.value,
            request=request.model_dump(mode="json"),
            execution={"requested": mode.value, "used": used, "reason": None},
            cause=None if cause is None else cause.model_dump(),
        )
    )
    await session.flush()
    told = None if cause is None else {"cause": cause.model_dump()}
    queued = NewEvent(EventType.JOB_QUEUED, "the job waits for a worker", data=told)
    await append(session, job_id, [queued])


async def read_job(session: AsyncSession, job_id: UUID) -> tables.Job | None:
    return await session.scalar(select(tables.Job).where(tables.Job.id == job_id))


async def lock_job(session: AsyncSession, job_id: UUID) -> tables.Job:
    """The job, locked: what is counted after this includes all who came before."""
    await allow_waiting(session)
    job = await session.scalar(
        select(tables.Job)
        .where(tables.Job.id == job_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    await end_soon(session)
    assert job is not None, "a task's job is deleted only together with the task"
    return job


async def locked_job(session: AsyncSession, job_id: UUID) -> tables.Job:
    """The job, which the caller has locked in this transaction."""
    return await session.get_one(tables.Job, (session.info["tenant_id"], job_id))


async def list_jobs(
    session: AsyncSession, before: tuple[dt.datetime, UUID] | None, most: int
) -> Sequence[tables.Job]:
    """Newest first."""
    order = tuple_(tables.Job.created_at, tables.Job.id)
    query = select(tables.Job).order_by(tables.Job.created_at.desc(), tables.Job.id.desc())
    if before is not None:
        query = query.where(order < before)
    return (await session.scalars(query.limit(most))).all()


async def count_products(
    session: AsyncSession, job_ids: Sequence[UUID]
) -> dict[UUID, ProductCounts]:
    """The states of each job's series, counted."""
    rows = await session.execute(
        select(tables.Task.group_id, tables.Task.state, func.count())
        .where(tables.Task.group_id.in_(job_ids), tables.Task.kind == TRAIN)
        .group_by(tables.Task.group_id, tables.Task.state)
    )
    states: dict[UUID, list[tuple[str, int]]] = {job_id: [] for job_id in job_ids}
    for job_id, state, count in rows:
        states[job_id].append((state, count))
    return {job_id: counted(found) for job_id, found in states.items()}


def counted(states: Iterable[tuple[str, int]]) -> ProductCounts:
    """So many series in each state of their tasks."""
    counts = Counter[str]()
    for state, count in states:
        counts[product_state(State(state)).value] += count
    return ProductCounts(total=sum(counts.values()), **counts)


def series_key(series_id: int) -> str:
    """What a series' tasks have in common: of these one runs at a time."""
    return f"series:{series_id}"


async def keys_put_in(session: AsyncSession, job_id: UUID) -> frozenset[str]:
    """The keys of the job's series that have a task already."""
    keys = select(tables.Task.unique_key).where(
        tables.Task.group_id == job_id, tables.Task.kind == TRAIN
    )
    return frozenset(key for key in await session.scalars(keys) if key is not None)


async def count_held(session: AsyncSession, job_id: UUID) -> int:
    """How many of the job's series wait to be let in."""
    counted = select(func.count()).where(
        tables.Task.group_id == job_id,
        tables.Task.kind == TRAIN,
        tables.Task.state == State.HELD.value,
    )
    return await session.scalar(counted) or 0


async def open_preparations(session: AsyncSession) -> Sequence[UUID]:
    """The tenant's jobs whose preparation has not ended."""
    is_open = tables.Task.state.in_([state.value for state in OPEN])
    found = select(tables.Task.group_id).where(tables.Task.kind == PREPARE, is_open)
    return (await session.scalars(found)).all()


async def list_products(
    session: AsyncSession, job_id: UUID, passed_over: int, most: int
) -> Sequence[tables.Task]:
    """In the order in which they were put in, which is for good: more only come behind."""
    found = await session.scalars(
        select(tables.Task)
        .where(tables.Task.group_id == job_id, tables.Task.kind == TRAIN)
        .order_by(tables.Task.id)
        .offset(passed_over)
        .limit(most)
    )
    return found.all()


async def count_running(session: AsyncSession, tenant_id: UUID) -> int:
    """The tenant's running jobs; the caller is alone in counting until its transaction ends."""
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('running-jobs:' || :tenant, 0))"),
        {"tenant": str(tenant_id)},
    )
    counted = await session.scalar(
        select(func.count())
        .select_from(tables.Job)
        .where(tables.Job.status == JobStatus.RUNNING.value)
    )
    return counted or 0


async def start_job(session: AsyncSession, job_id: UUID) -> None:
    await session.execute(
        update(tables.Job)
        .where(tables.Job.id == job_id)
        .values(status=JobStatus.RUNNING.value, started_at=func.now())
    )
    await append(session, job_id, [NewEvent(EventType.JOB_STARTED, "a worker took the job")])


async def warn(session: AsyncSession, job_id: UUID, code: str, message: str) -> None:
    """Tell the job's owner of what did not go as asked, and stopped nothing; of each once, as it is
    now."""
    job = await lock_job(session, job_id)
    others = [warning for warning in job.warnings if warning["code"] != code]
    job.warnings = [*others, {"code": code, "message": message}]
    await session.flush()


async def end_job(session: AsyncSession, job_id: UUID, status: JobStatus, message: str) -> None:
    """End the job, with the last event of its log."""
    await session.execute(
        update(tables.Job)
        .where(tables.Job.id == job_id)
        .values(status=status.value, finished_at=func.now())
    )
    last = NewEvent(
        EventType.JOB_FINISHED,
        message,
        percent=FINISHED_PERCENT,
        eta_seconds=0.0,
        data={"status": status.value},
    )
    await append(session, job_id, [last])


def ended_status(counts: ProductCounts) -> JobStatus:
    """How a job ends whose series have all ended."""
    good = counts.succeeded + counts.skipped
    if counts.cancelled:
        return JobStatus.CANCELLED
    if good == counts.total:
        return JobStatus.SUCCEEDED
    return JobStatus.PARTIAL if good else JobStatus.FAILED


def job_out(job: tables.Job, counts: ProductCounts, now: dt.datetime) -> JobOut:
    return JobOut(
        id=job.id,
        status=JobStatus(job.status),
        percent=job.percent,
        products=counts,
        execution=job.execution,
        cause=job.cause,
        warnings=job.warnings,
        eta_seconds=_eta(job, now),
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
    )


def _eta(job: tables.Job, now: dt.datetime) -> float | None:
    """What is left at the pace so far; None until there is a pace."""
    if JobStatus(job.status) in ENDED:
        return 0.0
    return None if job.pace is None else Pace.of_json(job.pace).seconds_left(now.timestamp())
