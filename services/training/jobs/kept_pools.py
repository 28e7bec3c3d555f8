"""The pools that a tenant keeps: rows that name what its jobs learnt across its series.

Whoever names kept pools in a task and whoever drops them take turns, so that nothing is dropped
that an open task names: `take_turns` first, before any place in the queue is reserved.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.demand.bundle import ENGINE_VERSION
from services.training.queue.task import OPEN, ClaimedTask, Snooze
from services.training.tables import KeptPools, Task
from shared.artifacts import Artifact

CHOOSE_AGAIN_SECONDS = 0.0


@dataclass(frozen=True, slots=True)
class PoolTerms:
    """What pools have to be learnt under to serve a training."""

    horizon_days: int
    training_window_days: int
    engine: int = ENGINE_VERSION


@dataclass(frozen=True, slots=True)
class Lore:
    """What pools were learnt from: of a tenant with so many series, the days up to the last."""

    series: int
    data_through: dt.date


async def take_turns(session: AsyncSession, tenant_id: UUID) -> None:
    """Until the transaction ends nobody else names or drops the tenant's pools."""
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('kept-pools:' || :tenant, 0))"),
        {"tenant": str(tenant_id)},
    )


async def newest(session: AsyncSession, terms: PoolTerms) -> KeptPools | None:
    return await session.scalar(
        select(KeptPools)
        .filter_by(**asdict(terms))
        .order_by(KeptPools.created_at.desc(), KeptPools.job_id)
        .limit(1)
    )


async def require_kept(session: AsyncSession, tenant_id: UUID, sha256: Iterable[str]) -> None:
    """Let the caller's tasks name these pools, or raise `Snooze` where some were replaced since
    they were chosen: what replaced them is there to be chosen."""
    wanted = set(sha256)
    if not wanted:
        return
    await take_turns(session, tenant_id)
    kept = await session.scalars(select(KeptPools.sha256).where(KeptPools.sha256.in_(wanted)))
    if wanted - set(kept):
        raise Snooze(CHOOSE_AGAIN_SECONDS, "the pools were replaced while the job was prepared")


async def keep(
    session: AsyncSession, task: ClaimedTask, terms: PoolTerms, lore: Lore, artifact: Artifact
) -> Sequence[str]:
    """Keep the pools of the task's job in place of older ones of the horizon, but for those that
    an open task names: their turn is when the next are kept.

    Returns the digests of what was dropped: after the commit, and not before, they are for
    `forget_artifacts`.
    """
    await take_turns(session, task.tenant_id)
    named = asdict(terms) | asdict(lore) | asdict(artifact)
    session.add(KeptPools(tenant_id=task.tenant_id, job_id=task.group_id, **named))
    await session.flush()
    older = KeptPools.horizon_days == terms.horizon_days, KeptPools.job_id != task.group_id
    return await _drop(session, [*older, KeptPools.sha256.not_in(_named())])


async def drop_damaged(session: AsyncSession, tenant_id: UUID, sha256: str) -> None:
    """Keep these no longer, whoever names them: there is nothing left to be read."""
    await take_turns(session, tenant_id)
    await _drop(session, [KeptPools.sha256 == sha256])


async def _drop(session: AsyncSession, where: Sequence[ColumnElement[bool]]) -> Sequence[str]:
    return (
        await session.scalars(delete(KeptPools).where(*where).returning(KeptPools.sha256))
    ).all()


def _named() -> Select[tuple[str]]:
    """The digests that open tasks will train with."""
    named = Task.payload["pools"].astext
    return select(named).where(Task.state.in_([each.value for each in OPEN]), named.is_not(None))
