"""Pools that a tenant keeps, put there without learning anything."""

import datetime as dt
from typing import Any

from sqlalchemy import select

from services.training import tables
from services.training.jobs.kept_pools import Lore
from services.training.jobs.pooling import LearntPools, publish_pools
from services.training.jobs.store import POOL, TRAIN
from services.training.jobs.workshop import Workshop
from services.training.queue.finish import finish
from services.training.queue.task import State
from shared.database import Sessions, tenant_transaction
from tests.conftest import Tenant
from tests.jobs.asking import FIRST_DAY, ask
from tests.jobs.claiming import claim
from tests.jobs.pooled_jobs import DAYS, POOLED, PRODUCTS, prepare

THROUGH = FIRST_DAY + dt.timedelta(days=DAYS - 1)
LORE = Lore(len(PRODUCTS), THROUGH)


def pools_of(lore: Lore = LORE) -> LearntPools:
    return LearntPools(b"bytes that nobody reads here", lore)


async def keep_pools(
    workshop: Workshop, tenant: Tenant, lore: Lore = LORE, **wanted: Any
) -> tables.KeptPools:
    """Pools of a job of all series, whose trainings are claimed by nobody yet."""
    await ask(tenant.client, **(POOLED | {"force": True} | wanted))
    await prepare(workshop)
    [task] = await claim(workshop, POOL)
    await publish_pools(workshop, task, pools_of(lore))
    return (await kept_by(workshop.sessions, tenant))[-1]


async def waits_for_pools(workshop: Workshop, tenant: Tenant, **wanted: Any) -> bool:
    """Whether a job of one product waits for pools of its own."""
    for task in await claim(workshop, TRAIN):  # else the same series would wait for these
        async with tenant_transaction(workshop.sessions, task.tenant_id) as session:
            await finish(session, task.claim, State.SUCCEEDED)
    await ask(tenant.client, **(POOLED | {"products": ["p0"]} | wanted))
    await prepare(workshop)
    pools, trainings = await claim(workshop, POOL), await claim(workshop, TRAIN)
    assert len(pools) + len(trainings) == 1
    return bool(pools)


async def kept_by(sessions: Sessions, tenant: Tenant) -> list[tables.KeptPools]:
    """The latest last."""
    async with tenant_transaction(sessions, tenant.id) as session:
        latest_last = select(tables.KeptPools).order_by(tables.KeptPools.created_at)
        return list(await session.scalars(latest_last))
