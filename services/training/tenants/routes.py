"""Tenants, for the operator; their own record, for themselves."""

from uuid import UUID, uuid4

from fastapi import APIRouter, Response

from services.training.audit.action import Action
from services.training.audit.actor import OPERATOR
from services.training.audit.record import record
from services.training.deps import Held, OperatorOnly, Reader, Transaction
from services.training.tenants import store
from services.training.tenants.key_store import FIRST_KEY, add_key, key_told
from services.training.tenants.schemas import (
    OwnTenant,
    TenantBody,
    TenantCreated,
    TenantOut,
    TenantPage,
)
from services.training.tenants.shown import own_tenant, shown
from shared.auth import make_key
from shared.database import tenant_transaction
from shared.errors import not_found
from shared.paging import DEFAULT_LIMIT, Cursor, Limit, next_cursor, uuid_after

router = APIRouter(tags=["tenants"])


@router.post("/tenants", status_code=201, dependencies=[OperatorOnly])
async def create_tenant(body: TenantBody, held: Held, response: Response) -> TenantCreated:
    tenant_id, new = uuid4(), make_key()
    async with tenant_transaction(held.sessions, tenant_id) as session:
        tenant = await store.add_tenant(session, tenant_id, body)
        key = await add_key(session, tenant_id, new, FIRST_KEY)
        created = TenantOut(**shown(tenant))
        told = body.model_dump()
        record(session, OPERATOR, Action.TENANT_CREATED, f"tenant:{tenant_id}", after=told)
        record(session, OPERATOR, Action.KEY_CREATED, f"api_key:{key.id}", after=key_told(key))
    response.headers["Location"] = f"/api/v1/tenants/{tenant_id}"
    return TenantCreated(tenant=created, api_key=new.secret)


@router.get("/tenants", dependencies=[OperatorOnly])
async def list_tenants(
    held: Held, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> TenantPage:
    after = uuid_after(cursor)
    ids = await store.list_tenant_ids(held.engine, after, limit)
    items = [found for tenant_id in ids if (found := await _read(held, tenant_id)) is not None]
    full = len(ids) == limit
    return TenantPage(items=items, next_cursor=next_cursor(full, str(ids[-1])) if ids else None)


@router.get("/tenants/{tenant_id}", dependencies=[OperatorOnly])
async def get_tenant(tenant_id: UUID, held: Held) -> TenantOut:
    found = await _read(held, tenant_id)
    if found is None:
        raise not_found("tenant", tenant_id)
    return found


@router.get("/tenant")
async def get_own_tenant(caller: Reader, session: Transaction) -> OwnTenant:
    tenant = await store.read_tenant(session)
    if tenant is None:
        raise not_found("tenant", caller.tenant_id)
    return await own_tenant(session, tenant)


async def _read(held: Held, tenant_id: UUID) -> TenantOut | None:
    async with tenant_transaction(held.sessions, tenant_id) as session:
        tenant = await store.read_tenant(session)
        return TenantOut(**shown(tenant)) if tenant is not None else None
