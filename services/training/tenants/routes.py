"""Tenants, for the operator; their own record and keys, for themselves."""

from typing import Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Response

from services.training import tables
from services.training.audit.action import Action
from services.training.audit.actor import OPERATOR
from services.training.audit.record import record
from services.training.deps import Admin, Held, OperatorOnly, Reader, Transaction
from services.training.tenants import store
from services.training.tenants.schemas import (
    KeyBody,
    KeyCreated,
    KeyOut,
    KeyPage,
    OwnTenant,
    TenantBody,
    TenantCreated,
    TenantOut,
    TenantPage,
)
from services.training.tenants.shown import own_tenant, shown
from shared.auth import make_key
from shared.database import tenant_transaction
from shared.errors import invalid, not_found
from shared.paging import DEFAULT_LIMIT, Cursor, Limit, decode_cursor, next_cursor

router = APIRouter(tags=["tenants"])


def key_told(key: tables.ApiKey) -> dict[str, Any]:
    """What the record tells of a key."""
    names = ("name", "prefix", "scopes", "expires_at")
    return {name: getattr(key, name) for name in names}


@router.post("/tenants", status_code=201, dependencies=[OperatorOnly])
async def create_tenant(body: TenantBody, held: Held, response: Response) -> TenantCreated:
    tenant_id, new = uuid4(), make_key()
    async with tenant_transaction(held.sessions, tenant_id) as session:
        tenant = await store.add_tenant(session, tenant_id, body)
        key = await store.add_key(session, tenant_id, new, store.FIRST_KEY)
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
    after = _uuid_after(cursor)
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


@router.post("/api-keys", status_code=201)
async def create_key(
    body: KeyBody, caller: Admin, session: Transaction, response: Response
) -> KeyCreated:
    new = make_key()
    key = await store.add_key(session, caller.tenant_id, new, body)
    record(session, caller.actor, Action.KEY_CREATED, f"api_key:{key.id}", after=key_told(key))
    response.headers["Location"] = f"/api/v1/api-keys/{key.id}"
    return KeyCreated(**KeyOut.model_validate(key).model_dump(), key=new.secret)


@router.get("/api-keys")
async def list_keys(
    _: Admin, session: Transaction, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> KeyPage:
    keys = await store.list_keys(session, _uuid_after(cursor), limit)
    after = next_cursor(len(keys) == limit, str(keys[-1].id)) if keys else None
    return KeyPage(items=[KeyOut.model_validate(key) for key in keys], next_cursor=after)


@router.get("/api-keys/{key_id}")
async def get_key(key_id: UUID, _: Admin, session: Transaction) -> KeyOut:
    key = await store.read_key(session, key_id)
    if key is None:
        raise not_found("api_key", key_id)
    return KeyOut.model_validate(key)


@router.delete("/api-keys/{key_id}", status_code=204)
async def revoke_key(key_id: UUID, caller: Admin, session: Transaction) -> None:
    if not await store.revoke_key(session, key_id):
        raise not_found("api_key", key_id)
    record(session, caller.actor, Action.KEY_REVOKED, f"api_key:{key_id}")


async def _read(held: Held, tenant_id: UUID) -> TenantOut | None:
    async with tenant_transaction(held.sessions, tenant_id) as session:
        tenant = await store.read_tenant(session)
        return TenantOut(**shown(tenant)) if tenant is not None else None


def _uuid_after(cursor: str | None) -> UUID | None:
    key = decode_cursor(cursor, str)
    if key is None:
        return None
    try:
        return UUID(str(key[0]))
    except ValueError:
        raise invalid("cursor", "bad_cursor", "this is no cursor of this list") from None
