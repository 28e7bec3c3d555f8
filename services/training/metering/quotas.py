"""What may be used in a day, and what is answered once that is spent."""

import datetime as dt

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.metering.usage import Kind, used_today
from shared.errors import Problem


async def is_spent(session: AsyncSession, kind: Kind, most: int | None) -> bool:
    """Whether the session's tenant has none left today."""
    return most is not None and (await used_today(session))[kind] >= most


async def require_quota(
    session: AsyncSession, kind: Kind, most: int | None, wanted: float = 0
) -> None:
    """429 `quota_spent` where the session's tenant has none left today for `wanted` more; it says
    when there is some again, which is midnight UTC."""
    if most is None:
        return
    used = (await used_today(session))[kind]
    if used + wanted > most or used >= most:
        now = await session.scalar(select(func.now()))
        assert now is not None
        raise _spent(kind, used, most, now)


def _spent(kind: Kind, used: float, most: int, now: dt.datetime) -> Problem:
    midnight = dt.datetime.combine(
        now.astimezone(dt.UTC).date() + dt.timedelta(days=1), dt.time(), dt.UTC
    )
    seconds = int((midnight - now).total_seconds()) + 1
    return Problem(
        429,
        "quota_spent",
        f"{used:.0f} of {most} {kind.value.replace('_', ' ')} a day are used: "
        f"there are more from {midnight:%Y-%m-%dT%H:%M:%SZ} on",
        headers={"Retry-After": str(seconds)},
    )
