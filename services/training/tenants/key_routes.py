"""API keys over HTTP: made, listed, rotated and revoked by a tenant, and by the operator for one
that has lost its own."""

import datetime as dt
from collections.abc import Iterable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Response

from services.training.audit.action import Action
from services.training.audit.actor import OPERATOR
from services.training.audit.record import record
from services.training.deps import Admin, Held, OperatorOnly, Transaction
from services.training.identity.caller import Caller
from services.training.tables import ApiKey
from services.training.tenants import key_store as store
from services.training.tenants.key_schemas import (
    KeyBody,
    KeyCreated,
    KeyOut,
    KeyPage,
    RotationBody,
)
from services.training.tenants.key_store import key_told
from services.training.tenants.store import read_tenant
from shared.auth import NewKey, Scope, make_key
from shared.database import tenant_transaction
from shared.errors import Problem, invalid, not_found
from shared.paging import DEFAULT_LIMIT, Cursor, Limit, next_cursor, uuid_after

router = APIRouter(tags=["tenants"])


@router.post("/api-keys", status_code=201)
async def create_key(
    body: KeyBody, caller: Admin, session: Transaction, response: Response
) -> KeyCreated:
    """Make a key with any of the scopes that the caller has."""
    _require_held(caller, body.scopes)
    new = make_key()
    key = await store.add_key(session, caller.tenant_id, new, body)
    record(session, caller.actor, Action.KEY_CREATED, _subject(key.id), after=key_told(key))
    return _created(key, new, response)


@router.get("/api-keys")
async def list_keys(
    _: Admin, session: Transaction, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> KeyPage:
    keys = await store.list_keys(session, uuid_after(cursor), limit)
    after = next_cursor(len(keys) == limit, str(keys[-1].id)) if keys else None
    return KeyPage(items=[KeyOut.model_validate(key) for key in keys], next_cursor=after)


@router.get("/api-keys/{key_id}")
async def get_key(key_id: UUID, _: Admin, session: Transaction) -> KeyOut:
    key = await store.read_key(session, key_id)
    if key is None:
        raise not_found("api_key", key_id)
    return KeyOut.model_validate(key)


@router.post("/api-keys/{key_id}/rotate", status_code=201)
async def rotate_key(
    key_id: UUID,
    caller: Admin,
    session: Transaction,
    response: Response,
    body: Annotated[RotationBody | None, Body()] = None,
) -> KeyCreated:
    """Make a key in the place of this one, with its name and scopes. The old one goes on for
    `overlap_seconds`; with 0 it ends at once."""
    wanted = body or RotationBody()
    old = await store.lock_to_rotate(session, key_id)
    if old is None:
        raise not_found("api_key", key_id)
    scopes = [Scope(scope) for scope in old.scopes]
    _require_held(caller, scopes)
    expires_at = wanted.expires_at if "expires_at" in wanted.model_fields_set else old.expires_at
    if expires_at is not None and expires_at <= dt.datetime.now(dt.UTC):
        raise invalid("expires_at", "in_the_past", "the new key would have expired already")
    new = make_key()
    successor = KeyBody(
        name=old.name,
        scopes=scopes,
        expires_at=expires_at,
        requests_per_minute=old.requests_per_minute,
    )
    made = await store.add_key(session, caller.tenant_id, new, successor)
    overlap = dt.timedelta(seconds=wanted.overlap_seconds)
    await store.replace_key(session, old.id, made.id, overlap)
    told = key_told(made) | {"replaces": str(old.id), "overlap_seconds": wanted.overlap_seconds}
    record(session, caller.actor, Action.KEY_ROTATED, _subject(made.id), after=told)
    return _created(made, new, response)


@router.delete("/api-keys/{key_id}", status_code=204)
async def revoke_key(key_id: UUID, caller: Admin, session: Transaction) -> None:
    """End a key, within a second in every process. The last one with the scope `admin` stays, for
    who calls by a key: rotate it with `overlap_seconds` 0."""
    if caller.key_id is not None and await store.lock_admin_keys(session) == {key_id}:
        raise Problem(
            409,
            "last_admin_key",
            "nobody could make keys any more: rotate this one, with overlap_seconds 0 if it is to "
            "end at once, or make another with the scope 'admin' first",
        )
    if not await store.revoke_key(session, key_id):
        raise not_found("api_key", key_id)
    record(session, caller.actor, Action.KEY_REVOKED, _subject(key_id))


@router.post("/tenants/{tenant_id}/api-keys", status_code=201, dependencies=[OperatorOnly])
async def create_key_for_tenant(
    tenant_id: UUID, body: KeyBody, held: Held, response: Response
) -> KeyCreated:
    """Make a key for a tenant that has lost its own; for the operator."""
    new = make_key()
    async with tenant_transaction(held.sessions, tenant_id) as session:
        if await read_tenant(session) is None:
            raise not_found("tenant", tenant_id)
        key = await store.add_key(session, tenant_id, new, body)
        record(session, OPERATOR, Action.KEY_RECOVERED, _subject(key.id), after=key_told(key))
        return _created(key, new, response)


def _subject(key_id: UUID) -> str:
    return f"api_key:{key_id}"


def _created(key: ApiKey, new: NewKey, response: Response) -> KeyCreated:
    response.headers["Location"] = f"/api/v1/api-keys/{key.id}"
    response.headers["Cache-Control"] = "no-store"
    return KeyCreated(**KeyOut.model_validate(key).model_dump(), key=new.secret)


def _require_held(caller: Caller, scopes: Iterable[Scope]) -> None:
    """Nobody hands on what they do not have."""
    missing = [scope.value for scope in scopes if scope not in caller.scopes]
    if missing:
        raise Problem(
            403,
            "scope_not_held",
            f"a key with the scope {missing[0]!r} can be had only by who has it",
        )
