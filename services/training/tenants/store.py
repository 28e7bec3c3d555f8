"""Tenants and their keys in the database."""

import re
import unicodedata
from collections.abc import Sequence
from uuid import UUID, uuid4

from sqlalchemy import exists, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from services.training import tables
from services.training.tenants.schemas import KeyBody, TenantBody
from shared.auth import NewKey, Scope

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


async def add_key(
    session: AsyncSession, tenant_id: UUID, new: NewKey, body: KeyBody
) -> tables.ApiKey:
    key = tables.ApiKey(
        tenant_id=tenant_id,
        id=uuid4(),
        name=body.name,
        prefix=new.prefix,
        digest=new.digest,
        scopes=[scope.value for scope in dict.fromkeys(body.scopes)],
        expires_at=body.expires_at,
    )
    session.add(key)
    await session.flush()
    await session.refresh(key)
    return key


FIRST_KEY = KeyBody(name="first key", scopes=list(Scope))


async def list_keys(
    session: AsyncSession, after: UUID | None, most: int
) -> Sequence[tables.ApiKey]:
    query = select(tables.ApiKey).where(tables.ApiKey.revoked_at.is_(None))
    if after is not None:
        query = query.where(tables.ApiKey.id > after)
    return (await session.scalars(query.order_by(tables.ApiKey.id).limit(most))).all()


async def read_key(session: AsyncSession, key_id: UUID) -> tables.ApiKey | None:
    return await session.scalar(
        select(tables.ApiKey).where(tables.ApiKey.id == key_id, tables.ApiKey.revoked_at.is_(None))
    )


async def revoke_key(session: AsyncSession, key_id: UUID) -> bool:
    """Whether there was a key to revoke."""
    revoked = await session.execute(
        update(tables.ApiKey)
        .where(tables.ApiKey.id == key_id, tables.ApiKey.revoked_at.is_(None))
        .values(revoked_at=func.now())
        .returning(tables.ApiKey.id)
    )
    return revoked.scalar_one_or_none() is not None
