"""The keys of tenants, as the database knows them."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.training.identity.caller import Caller, unauthorized
from shared.auth import Scope, prefix_of, same_secret

KEYS_BY_PREFIX = text("SELECT * FROM keys_by_prefix(:prefix)")


async def find_caller(engine: AsyncEngine, secret: str) -> Caller:
    """The caller whose key `secret` is; 401 where there is none that is good."""
    key = await _find_key(engine, secret)
    if key is None:
        raise unauthorized("the API key is unknown")
    if key.revoked_at is not None:
        raise unauthorized("the API key was revoked")
    scopes = frozenset(Scope(scope) for scope in key.scopes)
    return unexpired(
        Caller(key.tenant_id, key.id, scopes, key.expires_at, key_prefix=prefix_of(secret))
    )


def unexpired(found: Caller) -> Caller:
    """The same, whose key has not expired; else 401."""
    if found.expires_at is not None and found.expires_at <= datetime.now(UTC):
        raise unauthorized(f"the API key expired at {found.expires_at.isoformat()}")
    return found


async def _find_key(engine: AsyncEngine, secret: str) -> Row[Any] | None:
    prefix = prefix_of(secret)
    if prefix is None:
        return None
    async with engine.connect() as connection:
        found = await connection.execute(KEYS_BY_PREFIX, {"prefix": prefix})
    return next((row for row in found if same_secret(row.digest, secret)), None)
