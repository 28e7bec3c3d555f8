"""What all processes told of their breakers, in the database."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Interval, Row, Text, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from services.training.breakers.fleet import SILENCE
from services.training.breakers.together import worst_of
from services.training.tables.breakers import EVERYBODY
from shared.breaker import State

TOLD: Final = text(
    "SELECT * FROM told_breakers(:viewer, :silence, :only, :after_name, :after_owner, :most)"
).bindparams(
    bindparam("viewer", type_=Uuid),
    bindparam("silence", SILENCE, type_=Interval),
    bindparam("only", None, type_=Text),
    bindparam("after_name", None, type_=Text),
    bindparam("after_owner", None, type_=Uuid),
)
MOST_OF_A_NAME: Final = 2  # the viewer's own, and the shared one
RESET: Final = text("SELECT reset_breaker(:name)")

BreakerKey = tuple[str, UUID]
"""Its name and its owner."""


async def read_told(
    connection: AsyncConnection, viewer: UUID | None, after: BreakerKey | None, most: int
) -> Sequence[Row[Any]]:
    """A row for each process that is alive and breaker that it has; None views all. In order."""
    name, owner = after or (None, None)
    values = {"viewer": viewer, "after_name": name, "after_owner": owner, "most": most}
    return (await connection.execute(TOLD, values)).all()


async def read_state(
    session: AsyncSession, viewer: UUID, name: str, owner: UUID | None
) -> State | None:
    """The worst that any process is in; None while none has called that upstream."""
    values = {"viewer": viewer, "only": name, "most": MOST_OF_A_NAME}
    told = await session.execute(TOLD, values)
    states = [State(row.state) for row in told if row.owner == (owner or EVERYBODY)]
    return worst_of(states) if states else None


async def ask_for_reset(session: AsyncSession, name: str) -> bool:
    """Whether anybody has a breaker of that name."""
    return bool(await session.scalar(RESET, {"name": name}))
