"""The bucket of requests: one a tenant, and one for each key that has a limit of its own.

It holds a minute's worth, and is filled evenly; a request takes one. Where the database keeps it,
by its clock, the limit is that of all processes together.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.training.metering.limits import PLANS

TAKE: Final = text("SELECT * FROM take_request(:tenant, :key, CAST(:rates AS jsonb))")
STANDARD_RATE: Final = float(PLANS["standard"].requests_per_minute or 0)
RATES: Final = json.dumps({name: plan.requests_per_minute for name, plan in PLANS.items()})


@dataclass(frozen=True, slots=True)
class Taken:
    """Whether there was a request left in a bucket of `rate` a minute, and what is left now."""

    rate: float
    remaining: float
    taken: bool

    @property
    def wait(self) -> int:
        """Whole seconds until there is one to take, one at least."""
        return max(1, ceil((1 - self.remaining) * 60 / self.rate))

    def headers(self) -> Mapping[str, str]:
        """How the bucket stands; `RateLimit-Reset` is in how many seconds it is full."""
        return {
            "RateLimit-Policy": f"{self.rate:.0f};w=60",
            "RateLimit-Limit": f"{self.rate:.0f}",
            "RateLimit-Remaining": str(int(self.remaining)),
            "RateLimit-Reset": str(ceil((self.rate - self.remaining) * 60 / self.rate)),
        }


async def take_request(engine: AsyncEngine, tenant_id: UUID, key_id: UUID | None) -> Taken | None:
    """Take one, by one statement that commits by itself; None where there is no limit."""
    at_once = engine.execution_options(isolation_level="AUTOCOMMIT")
    async with at_once.connect() as connection:
        found = await connection.execute(TAKE, {"tenant": tenant_id, "key": key_id, "rates": RATES})
        row = found.one_or_none()
    return None if row is None or row.rate is None else Taken(row.rate, row.remaining, row.taken)
