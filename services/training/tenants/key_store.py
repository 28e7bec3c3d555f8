"""API keys in the database, under their tenant's wall."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.identity.keys import is_good
from services.training.metering.caps import over, read_limits, require_few, take_turns
from services.training.tables import ApiKey
from services.training.tenants.key_schemas import KeyBody
from shared.auth import NewKey, Scope
from shared.errors import Problem

FORGOTTEN: Final = dt.timedelta(days=30)
"""So long a key that has ended is kept, to be called that and not unknown."""
MOST_ENDED: Final = 10
"""So many keys there may be for each that may be in force."""
FIRST_KEY: Final = KeyBody(name="first key", scopes=list(Scope))


async def add_key(session: AsyncSession, tenant_id: UUID, new: NewKey, body: KeyBody) -> ApiKey:
    """The key, within the tenant's cap on those in force, and on those there ever were."""
    await take_turns(session)
    key = ApiKey(
        tenant_id=tenant_id,
        id=uuid4(),
        name=body.name,
        prefix=new.prefix,
        digest=new.digest,
        scopes=[scope.value for scope in dict.fromkeys(body.scopes)],
        expires_at=body.expires_at,
        requests_per_minute=body.requests_per_minute,
    )
    session.add(key)
    await session.flush()
    await _require_few_keys(session)
    await session.refresh(key)
    return key


async def _require_few_keys(session: AsyncSession) -> None:
    most = (await read_limits(session)).api_keys
    in_force = select(func.count()).where(is_good(), ApiKey.replaced_by.is_(None))
    if (await session.scalar(in_force) or 0) > most:
        raise over("api_keys", most)
    ended = func.least(ApiKey.revoked_at, ApiKey.expires_at)
    lately = func.now() - FORGOTTEN
    await session.execute(delete(ApiKey).where(ended < lately, ApiKey.created_at < lately))
    await require_few(session, ApiKey, MOST_ENDED * most)


async def list_keys(session: AsyncSession, after: UUID | None, most: int) -> Sequence[ApiKey]:
    query = select(ApiKey).where(ApiKey.revoked_at.is_(None))
    if after is not None:
        query = query.where(ApiKey.id > after)
    return (await session.scalars(query.order_by(ApiKey.id).limit(most))).all()


async def read_key(session: AsyncSession, key_id: UUID) -> ApiKey | None:
    return await session.scalar(
        select(ApiKey).where(ApiKey.id == key_id, ApiKey.revoked_at.is_(None))
    )


async def lock_to_rotate(session: AsyncSession, key_id: UUID) -> ApiKey | None:
    """The key, held until the transaction ends; 409 where it has been replaced, or has expired."""
    query = select(ApiKey).where(ApiKey.id == key_id, ApiKey.revoked_at.is_(None))
    key = await session.scalar(query.with_for_update(key_share=True))
    if key is None:
        return None
    if key.replaced_by is not None:
        raise Problem(
            409, "key_replaced", f"this key was rotated already: rotate {key.replaced_by}"
        )
    if await session.scalar(select(is_good()).where(ApiKey.id == key_id)) is False:
        raise Problem(409, "key_expired", "this key has expired: make a new one")
    return key


async def replace_key(session: AsyncSession, old: UUID, new: UUID, overlap: dt.timedelta) -> None:
    """The old one goes on for `overlap` by the database's clock, and no longer than it would."""
    await session.execute(
        update(ApiKey)
        .where(ApiKey.id == old)
        .values(replaced_by=new, expires_at=func.least(ApiKey.expires_at, func.now() + overlap))
    )


async def revoke_key(session: AsyncSession, key_id: UUID) -> bool:
    """Whether there was a key to revoke."""
    revoked = await session.execute(
        update(ApiKey)
        .where(ApiKey.id == key_id, ApiKey.revoked_at.is_(None))
        .values(revoked_at=func.now())
        .returning(ApiKey.id)
    )
    return revoked.scalar_one_or_none() is not None


async def lock_admin_keys(session: AsyncSession) -> set[UUID]:
    """The good keys with the scope `admin` that nothing has replaced, held until the transaction
    ends: of two who each revoke the other's, the second finds one key."""
    query = select(ApiKey.id).where(
        is_good(), ApiKey.scopes.contains([Scope.ADMIN.value]), ApiKey.replaced_by.is_(None)
    )
    locked = await session.scalars(query.order_by(ApiKey.id).with_for_update(key_share=True))
    return set(locked)


def key_told(key: ApiKey) -> dict[str, Any]:
    """What the record tells of a key."""
    names = ("name", "prefix", "scopes", "expires_at", "requests_per_minute")
    return {name: getattr(key, name) for name in names}
