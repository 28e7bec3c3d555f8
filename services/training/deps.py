"""What routes may ask for: who is calling, and a transaction that can see only their tenant."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from starlette.requests import HTTPConnection

from services.training.settings import Settings
from shared.artifacts import ArtifactStore
from shared.auth import Scope, digest_of, prefix_of, same_secret
from shared.database import Sessions, tenant_transaction
from shared.doorbell import Bell, Listener
from shared.errors import DATABASE_UNAVAILABLE, Problem
from shared.outage import DatabaseErrors, is_away
from shared.recent import Recent
from shared.roles import API


@dataclass(frozen=True, slots=True)
class Caller:
    """A tenant's key. Unless it is `checked`, the database was away, and the key was good a short
    while ago: such a caller gets nothing from the database and puts nothing into it."""

    tenant_id: UUID
    key_id: UUID
    scopes: frozenset[Scope]
    expires_at: datetime | None = None
    checked: bool = True


@dataclass(frozen=True, slots=True)
class Resources:
    """What one API process holds for as long as it lives. `known_keys` are good ones, by digest."""

    settings: Settings
    engine: AsyncEngine
    sessions: Sessions
    artifacts: ArtifactStore
    bell: Bell
    listener: Listener
    known_keys: Recent[bytes, Caller]

    async def is_away(self, error: Exception) -> bool:
        """Whether this error of the database says that it is away."""
        return await is_away(error, self.settings.database_url.get_secret_value(), API)


def resources_of(connection: HTTPConnection) -> Resources:
    resources: Resources = connection.app.state.resources
    return resources


KEYS_BY_PREFIX = text("SELECT * FROM keys_by_prefix(:prefix)")

bearer = HTTPBearer(auto_error=False, description="a tenant's API key, or the operator key")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]


def unauthorized(detail: str) -> Problem:
    return Problem(401, "unauthorized", detail, headers={"WWW-Authenticate": "Bearer"})


async def authenticate(resources: Resources, secret: str) -> Caller:
    """The tenant's caller behind `secret`; 401 where there is none, 403 for the operator's key."""
    if _is_operator(resources.settings, secret):
        raise Problem(403, "operator_not_tenant", "the operator key cannot act for a tenant")
    key = await _find_key(resources, secret)
    resources.known_keys.forget(digest_of(secret))
    if key is None:
        raise unauthorized("the API key is unknown")
    if key.revoked_at is not None:
        raise unauthorized("the API key was revoked")
    scopes = frozenset(Scope(scope) for scope in key.scopes)
    found = _unexpired(Caller(key.tenant_id, key.id, scopes, key.expires_at))
    resources.known_keys.note(digest_of(secret), found)
    return found


async def _find_key(resources: Resources, secret: str) -> Row[Any] | None:
    prefix = prefix_of(secret)
    if prefix is None:
        return None
    async with resources.engine.connect() as connection:
        found = await connection.execute(KEYS_BY_PREFIX, {"prefix": prefix})
    return next((row for row in found if same_secret(row.digest, secret)), None)


def _unexpired(found: Caller) -> Caller:
    if found.expires_at is not None and found.expires_at <= datetime.now(UTC):
        raise unauthorized(f"the API key expired at {found.expires_at.isoformat()}")
    return found


def _is_operator(settings: Settings, secret: str) -> bool:
    key = settings.operator_key
    return key is not None and same_secret(digest_of(key.get_secret_value()), secret)


async def caller(request: Request, credentials: Credentials) -> Caller:
    if credentials is None:
        raise unauthorized("send the API key as `Authorization: Bearer <key>`")
    found = await authenticate(resources_of(request), credentials.credentials)
    request.scope["tenant_id"] = found.tenant_id
    return found


async def known_caller(request: Request, credentials: Credentials) -> Caller:
    """As `caller`; while the database is away also whose key was good a short while ago."""
    try:
        return await caller(request, credentials)
    except DatabaseErrors as error:
        resources = resources_of(request)
        if credentials is None or not await resources.is_away(error):
            raise
        known = resources.known_keys.get(digest_of(credentials.credentials))
        if known is None:
            raise DATABASE_UNAVAILABLE from error
    request.scope["tenant_id"] = known.tenant_id
    return replace(_unexpired(known), checked=False)


def allowed(scope: Scope) -> Callable[[Caller], Awaitable[Caller]]:
    """A dependency that lets through only callers whose key has `scope`."""

    async def check(caller: Annotated[Caller, Depends(caller)]) -> Caller:
        return _with_scope(caller, scope)

    return check


def known_allowed(*scopes: Scope) -> Callable[[Caller], Awaitable[Caller]]:
    """As `allowed`, by one of `scopes`, of `known_caller`: for what is done without a database."""

    async def check(caller: Annotated[Caller, Depends(known_caller)]) -> Caller:
        return _with_scope(caller, *scopes)

    return check


def _with_scope(caller: Caller, *scopes: Scope) -> Caller:
    if not caller.scopes.intersection(scopes):
        named = " or ".join(repr(scope.value) for scope in scopes)
        raise Problem(403, "scope_missing", f"this key lacks the scope {named}")
    return caller


async def operator(request: Request, credentials: Credentials) -> None:
    if credentials is None:
        raise unauthorized("send the operator key as `Authorization: Bearer <key>`")
    resources = resources_of(request)
    if not _is_operator(resources.settings, credentials.credentials):
        await authenticate(resources, credentials.credentials)
        raise Problem(403, "operator_only", "only the operator key may do this")


async def viewer(request: Request, credentials: Credentials) -> UUID | None:
    """The tenant who asks, and may read; None for the operator."""
    held = resources_of(request)
    if credentials is not None and _is_operator(held.settings, credentials.credentials):
        return None
    return _with_scope(await caller(request, credentials), Scope.READ).tenant_id


async def transaction(
    request: Request, caller: Annotated[Caller, Depends(caller)]
) -> AsyncIterator[AsyncSession]:
    async with tenant_transaction(resources_of(request).sessions, caller.tenant_id) as session:
        yield session


def _resources(request: Request) -> Resources:
    return resources_of(request)


Held = Annotated[Resources, Depends(_resources)]
Reader = Annotated[Caller, Depends(allowed(Scope.READ))]
Ingester = Annotated[Caller, Depends(allowed(Scope.INGEST))]
Trainer = Annotated[Caller, Depends(allowed(Scope.TRAIN))]
Admin = Annotated[Caller, Depends(allowed(Scope.ADMIN))]
KnownReader = Annotated[Caller, Depends(known_allowed(Scope.READ))]
KnownIngester = Annotated[Caller, Depends(known_allowed(Scope.INGEST))]
KnownIngesterOrReader = Annotated[Caller, Depends(known_allowed(Scope.INGEST, Scope.READ))]
OperatorOnly = Depends(operator)
Viewer = Annotated[UUID | None, Depends(viewer)]

# scope="function" ends the transaction before the response is sent: a commit that fails must not
# have answered 200.
Transaction = Annotated[AsyncSession, Depends(transaction, scope="function")]
