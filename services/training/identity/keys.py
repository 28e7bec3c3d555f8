"""The keys of tenants, as the database knows them."""

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, func, or_, text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.training.identity.caller import Caller, unauthorized
from services.training.tables import ApiKey
from shared.auth import Scope, prefix_of, same_secret

KEYS_BY_PREFIX: Final = text("SELECT * FROM keys_by_prefix(:prefix)")

NOBODY: Final = bytes(32)
"""A digest that nothing has."""


def is_good() -> ColumnElement[bool]:
    """Whether a key has neither been revoked nor expired, by the database's clock."""
    unexpired = or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > func.now())
    return ApiKey.revoked_at.is_(None) & unexpired


async def find_caller(engine: AsyncEngine, secret: str) -> Caller:
    """The caller whose key `secret` is; 401 where there is none that is good."""
    key = await _find_key(engine, secret)
    if key is None:
        raise unauthorized("the API key is unknown")
    if key.revoked:
        raise unauthorized("the API key was revoked")
    if key.expired:
        raise expired(key.expires_at)
    scopes = frozenset(Scope(scope) for scope in key.scopes)
    prefix = prefix_of(secret)
    return Caller(key.tenant_id, key.id, scopes, key.expires_at, key_prefix=prefix)


def expired(at: datetime) -> Exception:
    return unauthorized(f"the key or token expired at {at.isoformat()}")


def unexpired(found: Caller) -> Caller:
    """The same, who has not expired by this process's clock; else 401."""
    if found.expires_at is not None and found.expires_at <= datetime.now(UTC):
        raise expired(found.expires_at)
    return found


async def _find_key(engine: AsyncEngine, secret: str) -> Row[Any] | None:
    """An unknown prefix and a wrong secret take one way: a query, and a comparison in constant
    time. So neither the answer nor its time says which prefixes there are."""
    async with engine.connect() as connection:
        found = await connection.execute(KEYS_BY_PREFIX, {"prefix": prefix_of(secret)})
    keys = list(found)
    digests = [key.digest for key in keys] or [NOBODY]
    same = [same_secret(digest, secret) for digest in digests]
    return next((key for key, is_same in zip(keys, same, strict=False) if is_same), None)
