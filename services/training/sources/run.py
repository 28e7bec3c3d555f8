"""What a sync works with: its source, its tenant's places, its clock, and fenced transactions."""

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.sources import store, syncs
from services.training.sources.addresses import Hosts, breaker_of
from services.training.sources.faults import SourceFault
from services.training.sources.kinds import Kind, SourceName
from shared.database import Sessions, tenant_transaction
from shared.sealed import Sealer
from shared.upstream.client import Upstream, UpstreamClient


@dataclass(frozen=True, slots=True)
class Supply:
    """What every sync of a process shares. `clock` gives the present instant, in UTC."""

    sessions: Sessions
    client: UpstreamClient
    sealer: Sealer
    hosts: Hosts
    clock: Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Location:
    """Where sales are made, by the time zone that holds there."""

    name: str
    latitude: float | None
    longitude: float | None
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Connected:
    """A source as it is connected, and the tenant's places. `own_address`: the tenant said where
    it is, so nobody vouches for it."""

    name: SourceName
    kind: Kind
    base_url: str
    own_address: bool
    options: BaseModel
    token: str | None = field(repr=False)
    slug: str
    zone: ZoneInfo
    most_series: int | None
    locations: tuple[Location, ...]

    def zone_of(self, location: str) -> ZoneInfo:
        """The tenant's where the location is none that it knows yet."""
        known = {each.name: each.zone for each in self.locations}
        return known.get(location, self.zone)


@dataclass(slots=True)
class Run:
    """One sync under way. `state` is how far the source was read, as it stands in the database."""

    supply: Supply
    tenant_id: UUID
    sync_id: UUID
    holder: UUID
    deadline: float
    now: datetime
    connected: Connected
    state: dict[str, Any]
    warnings: list[dict[str, Any]] = field(default_factory=list)

    @asynccontextmanager
    async def step(self) -> AsyncIterator[AsyncSession]:
        """A transaction in which a page is kept; rolled back if the source is no longer this
        sync's."""
        async with tenant_transaction(self.supply.sessions, self.tenant_id) as session:
            await store.keep_hold(session, self.connected.name, self.holder)
            yield session

    async def note(self, session: AsyncSession, state: Mapping[str, Any], rows: int) -> None:
        """In the step's transaction: how far the source is read with this page, and its rows."""
        await store.keep_state(session, self.connected.name, state)
        await syncs.count_page(session, self.sync_id, rows)
        self.state = dict(state)

    def require_time(self) -> None:
        """To be asked before each page: what was read so far is kept, and the next goes on."""
        if time.monotonic() >= self.deadline:
            raise SourceFault(
                "sync_timeout", "the sync took as long as it may: the next goes on where it ended"
            )

    def warn(self, code: str, message: str) -> None:
        self.warnings.append({"code": code, "message": message[:2000]})

    def upstream(self, headers: Mapping[str, str], base_url: str | None = None) -> Upstream:
        """Where the source is; of several addresses of its own, this one."""
        connected = self.connected
        address = base_url or connected.base_url
        owned = connected.own_address or connected.name is SourceName.SALES
        return Upstream(
            breaker=breaker_of(connected.name, connected.slug, address),
            base_url=address,
            trusted=not connected.own_address,
            headers=headers,
            owner=self.tenant_id if owned else None,
        )

    def bearer(self) -> dict[str, str]:
        token = self.connected.token
        return {} if token is None else {"Authorization": f"Bearer {token}"}
