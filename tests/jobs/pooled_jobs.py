"""Jobs whose families need pools, and their tasks."""

from typing import Any
from uuid import UUID

from httpx import AsyncClient
from sqlalchemy import select

from services.training import tables
from services.training.jobs.pipeline import cargo_of
from services.training.jobs.store import PREPARE
from services.training.jobs.workshop import Workshop
from shared.database import Sessions, tenant_transaction
from tests.conftest import Tenant
from tests.jobs.asking import ask, finished
from tests.jobs.claiming import claim

POOLED: dict[str, Any] = {"families": ["pooled"]}
PRODUCTS = [f"p{number}" for number in range(5)]
DAYS = 150


async def run(client: AsyncClient, **wanted: Any) -> dict[str, Any]:
    return await finished(client, (await ask(client, **(POOLED | wanted)))["id"])


async def tasks_of(sessions: Sessions, tenant: Tenant, job: str, kind: str) -> list[tables.Task]:
    async with tenant_transaction(sessions, tenant.id) as session:
        found = await session.scalars(
            select(tables.Task)
            .where(tables.Task.group_id == UUID(job), tables.Task.kind == kind)
            .order_by(tables.Task.id)
        )
        return list(found)


async def prepare(workshop: Workshop) -> None:
    for task in await claim(workshop, PREPARE):
        await cargo_of(workshop)[PREPARE].run(task)
