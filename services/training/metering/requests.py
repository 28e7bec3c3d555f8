"""Whether a request is let in: by its tenant's bucket, and, of those that bring no key that is
good, by their address."""

from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address, ip_network
from math import inf
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.types import Scope

from services.training.metering.bucket import STANDARD_RATE, Taken, take_request
from services.training.metering.buckets_here import BucketsHere
from shared.errors import Problem
from shared.recent import Recent

MOST: Final = 10_000
UNLIMITED_SECONDS: Final = 2.0
"""So long nobody asks again about a tenant without a limit: then one that was set holds."""
STANDING: Final = "request_bucket"
Asker = tuple[UUID, UUID | None]


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """The limits of requests, as one process holds them; `attempts_per_minute`: of one address."""

    engine: AsyncEngine
    attempts_per_minute: int
    unlimited: Recent[Asker, bool] = field(default_factory=lambda: Recent(MOST, UNLIMITED_SECONDS))
    last_rates: Recent[Asker, float] = field(default_factory=lambda: Recent(MOST, inf))
    while_away: BucketsHere[Asker] = field(default_factory=lambda: BucketsHere(MOST))
    attempts: BucketsHere[str] = field(default_factory=lambda: BucketsHere(MOST))

    async def take(self, scope: Scope, tenant_id: UUID, key_id: UUID | None) -> None:
        """Take a request from the tenant's bucket, and from the key's; 429 where one is empty. The
        answer will say how it stands."""
        asker = (tenant_id, key_id)
        if self.unlimited.get(asker):
            return
        taken = await take_request(self.engine, tenant_id, key_id)
        self.last_rates.note(asker, inf if taken is None else taken.rate)
        if taken is None:
            self.unlimited.note(asker, True)
        else:
            _let_in(scope, taken)

    async def take_here(self, scope: Scope, tenant_id: UUID, key_id: UUID | None) -> None:
        """The same while the database is away: from a bucket of this process alone, of the rate
        that the asker had when it was last seen."""
        asker = (tenant_id, key_id)
        rate = self.last_rates.get(asker) or STANDARD_RATE
        if rate < inf:
            _let_in(scope, self.while_away.take(asker, rate))

    def require_attempt(self, address: str) -> None:
        """429 where this address has brought too many bad keys; nothing was looked up then."""
        left = self.attempts.look(_neighbourhood(address), self.attempts_per_minute)
        if not left.taken:
            raise Problem(
                429,
                "too_many_attempts",
                f"over {self.attempts_per_minute} keys a minute from this address were not good: "
                f"wait {left.wait} s",
                headers={"Retry-After": str(left.wait)},
            )

    def note_failure(self, address: str) -> None:
        """A key from this address was not good."""
        self.attempts.take(_neighbourhood(address), self.attempts_per_minute)


def _let_in(scope: Scope, taken: Taken) -> None:
    scope[STANDING] = taken
    if not taken.taken:
        raise Problem(
            429,
            "rate_limited",
            f"{taken.rate:.0f} requests a minute are the limit: wait {taken.wait} s",
            headers={"Retry-After": str(taken.wait)},
        )


def _neighbourhood(address: str) -> str:
    """Whose address it is: of IPv6 a network of 64 bits is one subscriber's."""
    try:
        known = ip_address(address)
    except ValueError:
        return address  # of a socket without one
    if isinstance(known, IPv6Address) and known.ipv4_mapped is None:
        return str(ip_network((known, 64), strict=False))
    return str(known)
