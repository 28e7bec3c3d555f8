"""What routes may ask for: who is calling, and a transaction that can see only their tenant."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
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
from shared.errors import Problem


@dataclass(frozen=True, slots=True)
class Resources:
    """What one API process holds for as long as it lives."""

    settings: Settings
    engine: AsyncEngine
    sessions: Sessions
    artifacts: ArtifactStore
    bell: Bell
    listener: Listener


@dataclass(frozen=True, slots=True)
class Caller:
    """A tenant's key, checked."""

    tenant_id: UUID
    key_id: UUID
    scopes: frozenset[Scope]


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
    prefix = prefix_of(secret)
    if prefix is not None:
        async with resources.engine.connect() as connection:
            found = await connection.execute(KEYS_BY_PREFIX, {"prefix": prefix})
        for row in found:
            if same_secret(row.digest, secret):
                return _still_valid(row)
    raise unauthorized("the API key is unknown")


def _still_valid(key: Row[Any]) -> Caller:
    if key.revoked_at is not None:
        raise unauthorized("the API key was revoked")
    if key.expires_at is not None and key.expires_at <= datetime.now(UTC):
        raise unauthorized(f"the API key expired at {key.expires_at.isoformat()}")
    return Caller(key.tenant_id, key.id, frozenset(Scope(scope) for scope in key.scopes))


def _is_operator(settings: Settings, secret: str) -> bool:
    key = settings.operator_key
    return key is not None and same_secret(digest_of(key.get_secret_value()), secret)


async def caller(request: Request, credentials: Credentials) -> Caller:
    if credentials is None:
        raise unauthorized("send the API key as `Authorization: Bearer <key>`")
    found = await authenticate(resources_of(request), credentials.credentials)
    request.scope["tenant_id"] = found.tenant_id
    return found


def allowed(scope: Scope) -> Callable[[Caller], Awaitable[Caller]]:
    """A dependency that lets through only callers whose key has `scope`."""

    async def check(caller: Annotated[Caller, Depends(caller)]) -> Caller:
        if scope not in caller.scopes:
            raise Problem(403, "scope_missing", f"this key lacks the scope {scope.value!r}")
        return caller

    return check


async def operator(request: Request, credentials: Credentials) -> None:
    if credentials is None:
        raise unauthorized("send the operator key as `Authorization: Bearer <key>`")
    resources = resources_of(request)
    if not _is_operator(resources.settings, credentials.credentials):
        await authenticate(resources, credentials.credentials)
        raise Problem(403, "operator_only", "only the operator key may do this")


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
OperatorOnly = Depends(operator)

# scope="function" ends the transaction before the response is sent: a commit that fails must not
# have answered 200.
Transaction = Annotated[AsyncSession, Depends(transaction, scope="function")]
