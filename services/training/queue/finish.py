"""Ending a claim. Every statement here carries the fence: id, fence, and still running."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.training import tables
from services.training.queue.task import OPEN, Claim, StalePublish, State


async def finish(
    session: AsyncSession,
    claim: Claim,
    state: State,
    result: dict[str, Any] | None = None,
    error: dict[str, Any] | None = None,
) -> None:
    """Finish the task in the caller's transaction, or raise `StalePublish` so that all of it
    is rolled back."""
    await _fenced(
        session,
        claim,
        state=state.value,
        result=result,
        error=error,
        finished_at=func.now(),
        lease_until=None,
    )


async def put_back(
    session: AsyncSession,
    claim: Claim,
    delay: timedelta,
    error: dict[str, Any] | None = None,
    *,
    burn_attempt: bool,
) -> None:
    """Queue the task again, after `delay` if there is one; a snooze or a hand-back burns no
    attempt."""
    await _fenced(
        session,
        claim,
        state=(State.WAITING if delay > timedelta(0) else State.QUEUED).value,
        run_after=func.now() + delay,
        attempt=tables.Task.attempt - (0 if burn_attempt else 1),
        error=error,
        worker=None,
        lease_until=None,
    )


async def note_progress(session: AsyncSession, claim: Claim, progress: dict[str, Any]) -> None:
    """Record how far the task is, for those who look."""
    await _fenced(session, claim, progress=progress)


async def _fenced(session: AsyncSession, claim: Claim, **values: Any) -> None:
    done = await session.execute(
        update(tables.Task)
        .where(
            tables.Task.tenant_id == claim.tenant_id,
            tables.Task.id == claim.id,
            tables.Task.fence == claim.fence,
            tables.Task.state == State.RUNNING.value,
        )
        .values(**values)
        .returning(tables.Task.id)
    )
    if done.scalar_one_or_none() is None:
        raise StalePublish(claim)


async def cancel_group(session: AsyncSession, group_id: UUID) -> list[int]:
    """Cancel all of the group that has not ended; returns the ids. Workers that run one learn of it
    when they next renew, and can no longer finish it in any case. The caller keeps others from
    putting tasks into the group meanwhile."""
    is_open = (
        tables.Task.group_id == group_id,
        tables.Task.state.in_([state.value for state in OPEN]),
    )
    in_order = select(tables.Task.id).where(*is_open).order_by(tables.Task.id).with_for_update()
    await session.execute(select(func.count()).select_from(in_order.subquery()))
    cancelled = await session.scalars(
        update(tables.Task)
        .where(*is_open)
        .values(state=State.CANCELLED.value, finished_at=func.now(), lease_until=None)
        .returning(tables.Task.id)
        .execution_options(synchronize_session=False)
    )
    return sorted(cancelled)
