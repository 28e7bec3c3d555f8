"""Deleting what is kept no longer: a few rows a transaction, so many in all a turn.

It knows what to delete from the sweeps it is given. Each transaction is short, and what is left
over when the turn's measure is full comes with the next turn.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.training.queue.telemetry import PRUNED
from shared.database import Sessions, tenant_transaction


@dataclass(frozen=True, slots=True)
class Sweep:
    """`step` deletes at most so many of what is kept no longer, in the caller's transaction, and
    says how many it deleted; 0: there is no more that it could."""

    name: str
    step: Callable[[AsyncSession, int], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Measure:
    """How many rows a transaction deletes at most, and how many a turn of each kind."""

    batch: int = 500
    most: int = 20_000


async def prune(
    sessions: Sessions, tenant_id: UUID, sweeps: Sequence[Sweep], measure: Measure
) -> dict[str, int]:
    """How many went of each kind."""
    return {sweep.name: await _sweep(sessions, tenant_id, sweep, measure) for sweep in sweeps}


async def _sweep(sessions: Sessions, tenant_id: UUID, sweep: Sweep, measure: Measure) -> int:
    gone = 0
    while gone < measure.most:
        async with tenant_transaction(sessions, tenant_id) as session:
            deleted = await sweep.step(session, min(measure.batch, measure.most - gone))
        if not deleted:
            break
        PRUNED.labels(sweep.name).inc(deleted)
        gone += deleted
    return gone
