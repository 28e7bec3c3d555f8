"""Taking tasks out: one short statement across tenants, then each row under its own wall."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from services.training import tables
from services.training.queue.task import Claim, ClaimedTask, StalePublish, State

CLAIM = text("SELECT * FROM claim_tasks(:worker, :kinds, :slots, :lease, :most_running, :patience)")
RENEW = text("SELECT renew_leases(:owners, :ids, CAST(:fences AS bigint[]), :lease)")


@dataclass(frozen=True, slots=True)
class Rules:
    """How many tasks of the kinds claimed one tenant may run at once, on all workers together
    (None: as many as there is room for; what `queue_terms` say of the tenant goes before), and how
    long a task of the classes scheduled and backfill waits behind the classes before its own."""

    most_running: int | None = None
    patience: tuple[timedelta, timedelta] = (timedelta(minutes=10), timedelta(hours=1))


USUAL = Rules()


async def claim_tasks(
    engine: AsyncEngine,
    worker: str,
    kinds: Sequence[str],
    slots: int,
    lease: timedelta,
    rules: Rules = USUAL,
) -> list[Claim]:
    """Up to `slots` tasks of these kinds, leased to `worker` by the database's clock.

    One statement that commits by itself: whoever freezes over it holds nobody up."""
    values = {
        "worker": worker,
        "kinds": list(kinds),
        "slots": slots,
        "lease": lease,
        "most_running": rules.most_running,
        "patience": list(rules.patience),
    }
    async with _at_once(engine).connect() as connection:
        rows = await connection.execute(CLAIM, values)
        return [Claim(row.tenant_id, row.id, row.fence, row.attempt) for row in rows]


async def renew_leases(
    engine: AsyncEngine, claims: Sequence[Claim], lease: timedelta
) -> frozenset[Claim]:
    """The claims that are still the caller's own, renewed; what is missing was lost."""
    values = {
        "owners": [claim.tenant_id for claim in claims],
        "ids": [claim.id for claim in claims],
        "fences": [claim.fence for claim in claims],
        "lease": lease,
    }
    async with _at_once(engine).connect() as connection:
        kept = set((await connection.execute(RENEW, values)).scalars())
    return frozenset(claim for claim in claims if claim.id in kept)


def _at_once(engine: AsyncEngine) -> AsyncEngine:
    """Each statement commits as the server ends it: who is frozen or cut off before a COMMIT of its
    own would keep its rows locked, and nobody could take them over."""
    return engine.execution_options(isolation_level="AUTOCOMMIT")


async def read_claimed(session: AsyncSession, claim: Claim) -> ClaimedTask:
    """The claimed row; `StalePublish` where it has changed hands already."""
    row = await session.scalar(
        select(tables.Task).where(
            tables.Task.id == claim.id,
            tables.Task.fence == claim.fence,
            tables.Task.state == State.RUNNING,
        )
    )
    if row is None:
        raise StalePublish(claim)
    return ClaimedTask(
        claim=claim,
        group_id=row.group_id,
        kind=row.kind,
        subject=row.subject,
        payload=row.payload,
        cost=row.cost,
        max_attempts=row.max_attempts,
        error=row.error,
        trace=row.trace,
    )
