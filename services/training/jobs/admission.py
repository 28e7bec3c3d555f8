"""Whether a job can be asked for: what it names exists, there is something to train, and the tenant
has room for it: when it is asked for, and again when its tasks are put in."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, exists, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from services.training import tables
from services.training.jobs.schemas import ENDED, TrainingRequest
from services.training.jobs.store import count_held, open_preparations
from services.training.metering.caps import read_limits
from services.training.metering.limits import Limits
from services.training.metering.quotas import require_quota
from services.training.metering.usage import Kind as Used
from services.training.queue.backlog import count_backlog
from services.training.queue.task import Refused, Snooze
from services.training.sources.kinds import UNCONNECTED, Kind, SourceName
from services.training.sources.store import read_source
from shared.errors import InputError, Problem

RETRY_SECONDS = 10
TOO_LARGE = "job_too_large"


class NoRoom(Snooze):
    """So many tasks of the tenant wait already that the job's have to wait for room."""

    def __init__(self, message: str) -> None:
        super().__init__(RETRY_SECONDS, message)


async def check_room(session: AsyncSession, tenant_id: UUID) -> None:
    """Raise a 429 where the tenant has as many jobs open, or tasks queued, as it may, or has used
    the day's CPU-seconds. Until the transaction ends nobody else is admitted for the tenant. What
    a job has put in before it is admitted does not count: jobs that fill the queue by halves would
    wait for each other."""
    limits = await _limits_alone(session, tenant_id)
    await require_quota(session, Used.CPU_SECONDS, limits.cpu_seconds_per_day)
    if limits.open_jobs is not None and await _count_open_jobs(session) >= limits.open_jobs:
        raise _too_many("too_many_jobs", f"{limits.open_jobs} jobs wait or run already")
    if limits.queued_tasks is not None and await _backlog(session) >= limits.queued_tasks:
        raise _too_many("too_many_queued_tasks", f"{limits.queued_tasks} tasks are queued already")


async def require_size(session: AsyncSession, job_id: UUID) -> None:
    """Raise `Refused` where what the job holds so far is too much for an empty queue."""
    most = (await read_limits(session)).queued_tasks
    if most is None:
        return
    wanted = await count_held(session, job_id)
    if wanted > most:
        raise Refused(
            TOO_LARGE,
            f"at least {wanted} series to train, and {most} tasks of a tenant may be queued: name "
            "fewer `products` or `locations` a job, or ask the operator for a higher limit",
        )


async def require_room(session: AsyncSession, tenant_id: UUID, job_id: UUID) -> None:
    """Admit all that the job holds, now that its preparation has ended; or raise `NoRoom` where it
    is too much for now. Nobody else is admitted meanwhile, as above."""
    most = (await _limits_alone(session, tenant_id)).queued_tasks
    wanted = await count_held(session, job_id)
    if most is None or not wanted:
        return
    waiting = await _backlog(session) - wanted
    if waiting + wanted > most:
        raise NoRoom(f"{wanted} series wait for room: {waiting} tasks of {most} are queued")


async def _backlog(session: AsyncSession) -> int:
    """Of the jobs that were admitted: those that are not prepared any more."""
    return await count_backlog(session, apart_from=await open_preparations(session))


async def _limits_alone(session: AsyncSession, tenant_id: UUID) -> Limits:
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('admission:' || :tenant, 0))"),
        {"tenant": str(tenant_id)},
    )
    return await read_limits(session)


async def _count_open_jobs(session: AsyncSession) -> int:
    is_open = tables.Job.status.not_in([status.value for status in ENDED])
    return await session.scalar(select(func.count()).select_from(tables.Job).where(is_open)) or 0


def _too_many(code: str, what: str) -> Problem:
    message = f"{what}: wait for some to end, or cancel one"
    return Problem(429, code, message, headers={"Retry-After": str(RETRY_SECONDS)})


async def check_wanted(session: AsyncSession, wanted: TrainingRequest) -> None:
    """Raise a 422 that names every product and location which is not there; none while all of the
    tenant's sales are still to be pulled."""
    if await _sales_are_to_come(session):
        return
    errors = [
        *await _unknown(session, "products", tables.Product.product, wanted.products),
        *await _unknown(session, "locations", tables.Location.location, wanted.locations),
    ]
    if errors:
        named = ", ".join(error.message for error in errors[:5])
        raise Problem(422, "invalid_input", named, errors)
    if not await session.scalar(select(exists(_series(wanted)))):
        message = "none of the products sells at any of the locations"
        if wanted.products is None and wanted.locations is None:
            message = "there are no sales yet: POST /api/v1/sales first"
        chosen = [name for name in ("products", "locations") if getattr(wanted, name) is not None]
        faults = [
            InputError(field=name, code="nothing_to_train", message=message)
            for name in chosen or ["products"]
        ]
        raise Problem(422, "nothing_to_train", message, faults)


async def _sales_are_to_come(session: AsyncSession) -> bool:
    source = await read_source(session, SourceName.SALES)
    if Kind(source.kind) in UNCONNECTED:
        return False
    return not await session.scalar(select(exists(select(tables.Series.id))))


def _series(wanted: TrainingRequest) -> Select[int]:
    query = select(tables.Series.id)
    if wanted.products is not None:
        query = query.where(tables.Series.product.in_(wanted.products))
    if wanted.locations is not None:
        query = query.where(tables.Series.location.in_(wanted.locations))
    return query


async def _unknown(
    session: AsyncSession,
    field: str,
    column: InstrumentedAttribute[str],
    names: Sequence[str] | None,
) -> list[InputError]:
    if names is None:
        return []
    kind = field.removesuffix("s")
    known = set(await session.scalars(select(column).where(column.in_(names))))
    return [
        InputError(
            field=f"{field}.{index}",
            code=f"unknown_{kind}",
            message=f"no {kind} {name}",
        )
        for index, name in enumerate(names)
        if name not in known
    ]
