"""Artifacts that nothing names any more: datasets of models that are gone, pools that were
replaced, and what was stored by those who ended before they could name it.

An artifact is stored first and named by a row that commits later, so one that was put lately, for
the first time or again, is never touched. An old one goes only if nothing names it, asked again
just before it goes.
"""

from collections.abc import AsyncIterator, Collection
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.queue.task import OPEN
from services.training.queue.telemetry import PRUNED
from shared.artifacts import ArtifactStore
from shared.database import Sessions, tenant_transaction

MOST: Final = 2_000
BATCH: Final = 200
# A model needs its own artifact, and for a replay its dataset; a task what it is to read.
NAMED: Final = text("""
SELECT sha256 FROM models WHERE tenant_id = :tenant
UNION SELECT dataset_sha256 FROM models WHERE tenant_id = :tenant
UNION SELECT sha256 FROM kept_pools WHERE tenant_id = :tenant
UNION SELECT t.payload ->> name FROM tasks t, unnest(ARRAY['dataset', 'pools']) AS name
  WHERE t.tenant_id = :tenant AND t.state = ANY (:open)
""")


async def sweep_artifacts(
    sessions: Sessions, artifacts: ArtifactStore, tenant_id: UUID, age: timedelta, most: int = MOST
) -> int:
    """Delete what nothing names and nobody has put for `age`, so many at most; how many."""
    owner = str(tenant_id)
    async with tenant_transaction(sessions, tenant_id) as session:
        moment = (await session.execute(select(func.now()))).scalar_one() - age
        named = await read_named(session, tenant_id)
    await artifacts.tidy(owner, moment)
    gone = 0
    async for batch in _orphans(artifacts.put_before(owner, moment), named):
        async with tenant_transaction(sessions, tenant_id) as session:
            named = await read_named(session, tenant_id)
        for sha256 in batch:
            if gone < most and sha256 not in named:
                gone += await artifacts.delete_put_before(owner, sha256, moment)
        if gone >= most:
            break
    PRUNED.labels("artifacts").inc(gone)
    return gone


async def read_named(session: AsyncSession, tenant_id: UUID) -> set[str]:
    """Every digest that a model, kept pools or an open task of the tenant names."""
    values = {"tenant": tenant_id, "open": [state.value for state in OPEN]}
    found = await session.scalars(NAMED, values)
    return {sha256 for sha256 in found if sha256 is not None}


async def _orphans(
    pages: AsyncIterator[list[str]], named: Collection[str]
) -> AsyncIterator[list[str]]:
    """In batches, so that little time passes between asking who names one and deleting it."""
    waiting: list[str] = []
    async for page in pages:
        waiting += [sha256 for sha256 in page if sha256 not in named]
        while len(waiting) >= BATCH:
            yield waiting[:BATCH]
            del waiting[:BATCH]
    if waiting:
        yield waiting
