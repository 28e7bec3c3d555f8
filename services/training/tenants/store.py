"""Tenants in the database."""

import re
import unicodedata
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import exists, func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from services.training import tables
from services.training.tenants.schemas import TenantBody

FIRST_LOCATION = "main"


def slug_of(name: str, tenant_id: UUID) -> str:
    """A readable name that is unique without asking other tenants: it ends in the id's digits."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", ascii_name).strip("-")[:40] or "tenant"
    return f"{words}-{tenant_id.hex[:6]}"


async def add_tenant(session: AsyncSession, tenant_id: UUID, body: TenantBody) -> tables.Tenant:
    """The tenant, with its first location."""
    tenant = tables.Tenant(
        tenant_id=tenant_id, slug=slug_of(body.name, tenant_id), **body.model_dump()
    )
    session.add(tenant)
    await session.flush()
    session.add(
        tables.Location(
            tenant_id=tenant_id,
            location=FIRST_LOCATION,
            name=body.name,
            latitude=body.latitude,
            longitude=body.longitude,
        )
    )
    await session.flush()
    await session.refresh(tenant)
    return tenant


async def read_tenant(session: AsyncSession) -> tables.Tenant | None:
    """The session's own tenant: the wall shows no other. One that is being erased is no more."""
    gone = exists().where(tables.Erasure.tenant_id == tables.Tenant.tenant_id)
    return await session.scalar(select(tables.Tenant).where(~gone))


async def read_usage(session: AsyncSession) -> dict[str, int]:
    """How much the session's tenant has stored, by kind."""
    counted = (tables.Sale, tables.Series, tables.Model, tables.Job)
    return {
        table.__tablename__: await session.scalar(select(func.count()).select_from(table)) or 0
        for table in counted
    }


async def list_tenant_ids(engine: AsyncEngine, after: UUID | None, most: int) -> Sequence[UUID]:
    async with engine.connect() as connection:
        found = await connection.execute(
            text("SELECT * FROM tenant_ids(:after, :most)"), {"after": after, "most": most}
        )
        return found.scalars().all()
