"""What routes may ask for: who is calling, and a transaction that can see only their tenant."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from starlette.requests import HTTPConnection

from services.training.identity.caller import Caller, unauthorized
from services.training.identity.door import Door
from services.training.metering.requests import RequestLimits
from services.training.metering.streams import Streams
from services.training.metering.tally import ForecastTally
from services.training.settings import Settings
from shared.artifacts import ArtifactStore
from shared.auth import Scope
from shared.database import Sessions, tenant_transaction
from shared.doorbell import Bell, Listener
from shared.errors import Problem, database_unavailable
from shared.outage import DatabaseErrors, is_away
from shared.roles import API
from shared.tracing import note


@dataclass(frozen=True, slots=True)
class Resources:
    """What one API process holds for as long as it lives."""

    settings: Settings
    engine: AsyncEngine
    sessions: Sessions
    artifacts: ArtifactStore
    bell: Bell
    listener: Listener
    door: Door
    requests: RequestLimits
    streams: Streams
    served: ForecastTally

    async def is_away(self, error: Exception) -> bool:
        """Whether this error of the database says that it is away."""
        return await is_away(error, self.settings.database_url.get_secret_value(), API)


def resources_of(connection: HTTPConnection) -> Resources:
    resources: Resources = connection.app.state.resources
    return resources


bearer = HTTPBearer(
    auto_error=False,
    description="a tenant's API key, an access token of its issuer, or the operator key",
)
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]


async def let_in(connection: HTTPConnection, found: Caller) -> Caller:
    """Where everyone who calls for a tenant comes through, once a request or handshake: it is known
    who it is, and nothing has been done for them yet. 429 beyond a limit of requests."""
    if "caller" not in connection.scope:
        limits = resources_of(connection).requests
        take = limits.take if found.checked else limits.take_here
        await take(connection.scope, found.tenant_id, found.key_id)
        connection.scope["caller"] = found
        resources_of(connection).door.uses.note(found)
        note({"morrow.tenant_id": str(found.tenant_id)})
    return found


async def knock(connection: HTTPConnection, secret: str) -> Caller:
    """Whose secret it is, who is then let in; 401 where it is nobody's, and 429 after too many of
    these from one address. A secret that was good a short while ago is looked up in any case."""
    resources, address = resources_of(connection), address_of(connection)
    if not resources.door.knows(secret):
        resources.requests.require_attempt(address)
    try:
        found = await resources.door.admit(secret)
    except Problem as problem:
        if problem.status == HTTPStatus.UNAUTHORIZED:
            resources.requests.note_failure(address)
        raise
    return await let_in(connection, found)


def address_of(connection: HTTPConnection) -> str:
    """Where it comes from, as the server knows it; none of a socket of this machine."""
    return "" if connection.client is None else connection.client.host


async def caller(request: Request, credentials: Credentials) -> Caller:
    if credentials is None:
        raise unauthorized("send the API key as `Authorization: Bearer <key>`")
    return await knock(request, credentials.credentials)


async def known_caller(request: Request, credentials: Credentials) -> Caller:
    """As `caller`; while the database is away also whose key was good a short while ago."""
    try:
        return await caller(request, credentials)
    except DatabaseErrors as error:
        resources = resources_of(request)
        if credentials is None or not await resources.is_away(error):
            raise
        known = resources.door.recall(credentials.credentials)
        if known is None:
            raise database_unavailable() from error
    return await let_in(request, known)


def allowed(scope: Scope) -> Callable[[Caller], Awaitable[Caller]]:
    """A dependency that lets through only callers whose key has `scope`."""

    async def check(caller: Annotated[Caller, Depends(caller)]) -> Caller:
        return caller.with_scope(scope)

    return check


def known_allowed(*scopes: Scope) -> Callable[[Caller], Awaitable[Caller]]:
    """As `allowed`, by one of `scopes`, of `known_caller`: for what is done without a database."""

    async def check(caller: Annotated[Caller, Depends(known_caller)]) -> Caller:
        return caller.with_scope(*scopes)

    return check


async def operator(request: Request, credentials: Credentials) -> None:
    if credentials is None:
        raise unauthorized("send the operator key as `Authorization: Bearer <key>`")
    if not resources_of(request).door.is_operator(credentials.credentials):
        await caller(request, credentials)
        raise Problem(403, "operator_only", "only the operator key may do this")


def seen_by(scope: Scope) -> Callable[..., Awaitable[UUID | None]]:
    """A dependency: the tenant who asks with a key that has `scope`; None for the operator."""

    async def viewer(request: Request, credentials: Credentials) -> UUID | None:
        door = resources_of(request).door
        if credentials is not None and door.is_operator(credentials.credentials):
            return None
        return (await caller(request, credentials)).with_scope(scope).tenant_id

    return viewer


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
Viewer = Annotated[UUID | None, Depends(seen_by(Scope.READ))]
AdminViewer = Annotated[UUID | None, Depends(seen_by(Scope.ADMIN))]

# scope="function" ends the transaction before the response is sent: a commit that fails must not
# have answered 200.
Transaction = Annotated[AsyncSession, Depends(transaction, scope="function")]
