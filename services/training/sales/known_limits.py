"""The limits of a tenant, also while the database that has them is away."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, Request

from services.training import tables
from services.training.deps import Resources
from services.training.identity.caller import Caller
from services.training.metering.limits import PLANS, Limits, limits_of
from shared.database import tenant_transaction
from shared.outage import DatabaseErrors
from shared.recent import Recent

KnownLimits = Recent[UUID, Limits]

UNSEEN: Final = PLANS["standard"]
"""Those of a tenant that this process has not yet seen one of."""


def _known_limits(request: Request) -> KnownLimits:
    known: KnownLimits = request.app.state.known_limits
    return known


HeldLimits = Annotated[KnownLimits, Depends(_known_limits)]


async def limits_for(caller: Caller, held: Resources, known: KnownLimits) -> Limits:
    """The caller's own; while the database is away those it had when they were last read."""
    if caller.checked:
        try:
            async with tenant_transaction(held.sessions, caller.tenant_id) as session:
                limits = limits_of(await session.get_one(tables.Tenant, caller.tenant_id))
        except DatabaseErrors as error:
            if not await held.is_away(error):
                raise
        else:
            known.note(caller.tenant_id, limits)
            return limits
    return known.get(caller.tenant_id) or UNSEEN
