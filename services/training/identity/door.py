"""The door of one process: who knocks with which secret."""

from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncEngine

from services.training.identity.caller import Caller
from services.training.identity.keys import find_caller
from services.training.identity.known_keys import KnownKeys
from services.training.settings import Settings
from shared.auth import digest_of, same_secret
from shared.errors import Problem


@dataclass(frozen=True, slots=True)
class Door:
    """What it takes to tell who is calling. `operator`: the digest of the operator's key."""

    engine: AsyncEngine
    operator: bytes | None = field(repr=False)
    known_keys: KnownKeys

    def is_operator(self, secret: str) -> bool:
        return self.operator is not None and same_secret(self.operator, secret)

    async def admit(self, secret: str) -> Caller:
        """The tenant's caller behind `secret`; 401 where there is none, 403 for the operator."""
        if self.is_operator(secret):
            raise Problem(403, "operator_not_tenant", "the operator key cannot act for a tenant")
        return await self._look_up(secret)

    def knows(self, secret: str) -> bool:
        """Whether `admit` found somebody a short while ago."""
        return self.known_keys.knows(secret)

    def recall(self, secret: str) -> Caller | None:
        """As `admit` found a short while ago, while nobody can be asked."""
        return self.known_keys.recall(secret)

    async def _look_up(self, secret: str) -> Caller:
        try:
            found = await find_caller(self.engine, secret)
        except Problem:
            self.known_keys.forget(secret)
            raise
        self.known_keys.note(secret, found)
        return found


def open_door(settings: Settings, engine: AsyncEngine) -> Door:
    operator = settings.operator_key
    return Door(
        engine,
        None if operator is None else digest_of(operator.get_secret_value()),
        KnownKeys(settings.known_key_seconds),
    )
