"""A tenant's record under the names of the API."""

from dataclasses import asdict
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.training import tables
from services.training.metering.limits import limits_of
from services.training.metering.usage import used_today
from services.training.tenants.schemas import OwnTenant
from services.training.tenants.store import read_usage


def shown(tenant: tables.Tenant) -> dict[str, Any]:
    """The tenant's columns under the names of the API."""
    return {"id": tenant.tenant_id} | {
        column.name: getattr(tenant, column.name) for column in tables.Tenant.__table__.columns
    }


async def own_tenant(session: AsyncSession, tenant: tables.Tenant) -> OwnTenant:
    """The record of the session's tenant, with what it may, has, and used today."""
    return OwnTenant(
        **shown(tenant)
        | {
            "limits": asdict(limits_of(tenant)),
            "usage": await read_usage(session),
            "used_today": await used_today(session),
        }
    )
