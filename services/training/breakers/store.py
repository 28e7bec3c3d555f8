"""What all processes told of their breakers, in the database."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Interval, Row, Text, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.training.breakers.fleet import SILENCE

TOLD: Final = text(
    "SELECT * FROM told_breakers(:viewer, :silence, :after_name, :after_owner, :most)"
).bindparams(
    bindparam("viewer", type_=Uuid),
    bindparam("silence", type_=Interval),
    bindparam("after_name", type_=Text),
    bindparam("after_owner", type_=Uuid),
)
RESET: Final = text("SELECT reset_breaker(:name)")

BreakerKey = tuple[str, UUID]
"""Its name and its owner."""


async def read_told(
    connection: AsyncConnection, viewer: UUID | None, after: BreakerKey | None, most: int
) -> Sequence[Row[Any]]:
    """A row for each process that is alive and breaker that it has; None views all. In order."""
    name, owner = after or (None, None)
    found = await connection.execute(
        TOLD,
        {
            "viewer": viewer,
            "silence": SILENCE,
            "after_name": name,
            "after_owner": owner,
            "most": most,
        },
    )
    return found.all()


async def ask_for_reset(connection: AsyncConnection, name: str) -> bool:
    """Whether anybody has a breaker of that name."""
    return bool(await connection.scalar(RESET, {"name": name}))
