"""The door of one process: who knocks with which secret."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from services.training.identity.caller import Caller
from services.training.identity.key_uses import KeyUses
from services.training.identity.key_watch import KeyWatch
from services.training.identity.keys import find_caller
from services.training.identity.known_keys import KnownKeys
from services.training.settings import Settings
from shared.auth import digest_of, same_secret
from shared.background import running
from shared.database import PoolLimits, make_engine
from shared.errors import Problem
from shared.roles import API

ASIDE: Final = PoolLimits(size=1, max_overflow=1, timeout=5)


@dataclass(frozen=True, slots=True)
class Door:
    """What it takes to tell who is calling. `operator`: the digest of the operator's key."""

    engine: AsyncEngine
    operator: bytes | None = field(repr=False)
    known_keys: KnownKeys
    watch: KeyWatch
    uses: KeyUses

    def is_operator(self, secret: str) -> bool:
        return self.operator is not None and same_secret(self.operator, secret)

    async def admit(self, secret: str) -> Caller:
        """The tenant's caller behind `secret`; 401 where there is none, 403 for the operator."""
        if self.is_operator(secret):
            raise Problem(403, "operator_not_tenant", "the operator key cannot act for a tenant")
        try:
            found = await find_caller(self.engine, secret)
        except Problem:
            self.known_keys.forget(secret)
            raise
        self.known_keys.note(secret, found)
        return found

    def knows(self, secret: str) -> bool:
        """Whether `admit` found somebody a short while ago."""
        return self.known_keys.knows(secret)

    def recall(self, secret: str) -> Caller | None:
        """As `admit` found a short while ago, while nobody can be asked."""
        return self.known_keys.recall(secret)


@asynccontextmanager
async def open_door(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Door]:
    """With its loops, which have connections of their own: `engine` is for requests."""
    aside = make_engine(settings.database_url.get_secret_value(), API, ASIDE, "morrow-api-keys")
    key = settings.operator_key
    operator = None if key is None else digest_of(key.get_secret_value())
    known_keys = KnownKeys(settings.known_key_seconds)
    door = Door(engine, operator, known_keys, KeyWatch(aside, known_keys), KeyUses(aside))
    async with AsyncExitStack() as held:
        held.push_async_callback(aside.dispose)
        await held.enter_async_context(running(door.watch.run(), door.uses.run()))
        yield door
