"""The door of one process: who knocks with which secret."""

import math
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from services.training.audit.action import Action
from services.training.audit.record import record
from services.training.audit.store import has_acted
from services.training.identity.caller import Caller
from services.training.identity.claims import ClaimNames, no_tenant
from services.training.identity.issuer import Issuer
from services.training.identity.issuer_keys import IssuerKeys, open_client
from services.training.identity.key_uses import KeyUses
from services.training.identity.key_watch import KeyWatch
from services.training.identity.keys import find_caller
from services.training.identity.known_keys import KnownKeys
from services.training.identity.tenant import is_known
from services.training.identity.tokens import Tokens, TokenTerms, is_token
from services.training.settings import Settings
from shared.auth import digest_of, same_secret
from shared.background import running
from shared.database import PoolLimits, Sessions, make_engine, tenant_transaction
from shared.errors import Problem
from shared.recent import Recent
from shared.roles import API

MOST_SUBJECTS: Final = 10_000
ASIDE: Final = PoolLimits(size=1, max_overflow=1, timeout=5)


@dataclass(frozen=True, slots=True)
class Door:
    """What it takes to tell who is calling. `operator`: the digest of the operator's key, which
    alone makes an operator: no token does."""

    engine: AsyncEngine
    sessions: Sessions
    operator: bytes | None = field(repr=False)
    known_keys: KnownKeys
    watch: KeyWatch
    uses: KeyUses
    tokens: Tokens | None
    subjects: Recent[tuple[UUID, str], bool] = field(
        default_factory=lambda: Recent(MOST_SUBJECTS, math.inf)
    )
    """Whose first use is in the record, as far as this process knows."""

    def is_operator(self, secret: str) -> bool:
        return self.operator is not None and same_secret(self.operator, secret)

    async def admit(self, secret: str) -> Caller:
        """The tenant's caller behind `secret`; 401 where there is none, 403 for the operator."""
        if self.is_operator(secret):
            raise Problem(403, "operator_not_tenant", "the operator key cannot act for a tenant")
        try:
            found = await self._look_up(secret)
        except Problem as problem:
            if problem.status == HTTPStatus.UNAUTHORIZED:
                self.known_keys.forget(secret)
            raise
        self.known_keys.note(secret, found)
        return found

    async def _look_up(self, secret: str) -> Caller:
        if self.tokens is None or not is_token(secret):
            return await find_caller(self.engine, secret)
        found = await self.tokens.caller_of(secret)
        async with tenant_transaction(self.sessions, found.tenant_id) as session:
            if not await is_known(session):
                raise no_tenant()
            await self._note_first_use(session, found)
        return found

    async def _note_first_use(self, session: AsyncSession, found: Caller) -> None:
        """In the record, the first time that anybody comes by a token of this subject."""
        key = (found.tenant_id, found.actor.name)
        if self.subjects.get(key) is None:
            if not await has_acted(session, found.actor, Action.TOKEN_FIRST_USED):
                told = {"scopes": sorted(scope.value for scope in found.scopes)}
                record(session, found.actor, Action.TOKEN_FIRST_USED, found.actor.name, after=told)
            self.subjects.note(key, True)

    def knows(self, secret: str) -> bool:
        """Whether `admit` found somebody a short while ago."""
        return self.known_keys.knows(secret)

    def recall(self, secret: str) -> Caller | None:
        """As `admit` found a short while ago, while nobody can be asked."""
        return self.known_keys.recall(secret)


@asynccontextmanager
async def open_door(
    settings: Settings, engine: AsyncEngine, sessions: Sessions
) -> AsyncIterator[Door]:
    """With its loops, which have connections of their own: `engine` is for requests."""
    aside = make_engine(settings.database_url.get_secret_value(), API, ASIDE, "morrow-api-keys")
    key = settings.operator_key
    known_keys = KnownKeys(settings.known_key_seconds)
    async with AsyncExitStack() as held:
        held.push_async_callback(aside.dispose)
        door = Door(
            engine=engine,
            sessions=sessions,
            operator=None if key is None else digest_of(key.get_secret_value()),
            known_keys=known_keys,
            watch=KeyWatch(aside, known_keys),
            uses=KeyUses(aside),
            tokens=await _open_tokens(settings, held),
        )
        await held.enter_async_context(running(door.watch.run(), door.uses.run()))
        yield door


async def _open_tokens(settings: Settings, held: AsyncExitStack) -> Tokens | None:
    """The tokens that the settings allow; None where they name no issuer."""
    terms = token_terms(settings)
    if terms is None:
        return None
    client = await held.enter_async_context(open_client())
    keys = IssuerKeys(client, terms.issuer, settings.oidc_jwks_url)
    issuer = Issuer(keys.ask, settings.oidc_fresh_seconds, settings.oidc_stale_seconds)
    held.push_async_callback(issuer.close)
    return Tokens(terms, issuer)


def token_terms(settings: Settings) -> TokenTerms | None:
    if settings.oidc_issuer is None or settings.oidc_audience is None:
        return None
    return TokenTerms(
        issuer=settings.oidc_issuer,
        audience=settings.oidc_audience,
        algorithms=frozenset(settings.oidc_algorithms),
        types=frozenset(kind.lower() for kind in settings.oidc_types),
        leeway_seconds=settings.oidc_leeway_seconds,
        names=ClaimNames(settings.oidc_tenant_claim, settings.oidc_scopes_claim),
    )
