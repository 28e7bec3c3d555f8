"""A tenant's plan and limits, which the operator sets."""

from uuid import UUID

from fastapi import APIRouter

from services.training import tables
from services.training.audit.action import Action
from services.training.audit.actor import OPERATOR
from services.training.audit.record import record
from services.training.audit.told import Told
from services.training.deps import Held, OperatorOnly
from services.training.tenants.limit_bodies import TenantChange
from services.training.tenants.schemas import OwnTenant
from services.training.tenants.shown import own_tenant
from services.training.tenants.store import read_tenant
from shared.database import tenant_transaction
from shared.errors import not_found

router = APIRouter(tags=["tenants"])


@router.patch("/tenants/{tenant_id}", dependencies=[OperatorOnly])
async def change_tenant(tenant_id: UUID, body: TenantChange, held: Held) -> OwnTenant:
    """Give a tenant another plan, or limits of its own: they hold within two seconds."""
    async with tenant_transaction(held.sessions, tenant_id) as session:
        tenant = await read_tenant(session)
        if tenant is None:
            raise not_found("tenant", tenant_id)
        before = _told(tenant)
        _change(tenant, body)
        subject = f"tenant:{tenant_id}"
        record(
            session, OPERATOR, Action.LIMITS_CHANGED, subject, before=before, after=_told(tenant)
        )
        await session.flush()
        return await own_tenant(session, tenant)


def _told(tenant: tables.Tenant) -> Told:
    return {"plan": tenant.plan, "limits": dict(tenant.limits)}


def _change(tenant: tables.Tenant, body: TenantChange) -> None:
    if body.plan is not None:
        tenant.plan = body.plan
    if body.limits is not None:
        tenant.limits = body.limits.model_dump(exclude_unset=True)
