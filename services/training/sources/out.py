"""A source as the API shows it."""

import datetime as dt
from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncSession

from services.training.breakers.store import read_state
from services.training.sources.addresses import Hosts, breaker_of, usual_address
from services.training.sources.due import every
from services.training.sources.kinds import UNCONNECTED, Kind, SourceName
from services.training.sources.schemas import (
    BreakerState,
    Freshness,
    SourceOut,
    SyncOut,
)
from services.training.sources.status import read_known
from services.training.tables import Source, SourceSync
from shared.sealed import is_sealed

STALE_AFTER = 3
"""Intervals without a success."""


async def source_out(
    session: AsyncSession,
    source: Source,
    last: SourceSync | None,
    *,
    slug: str,
    hosts: Hosts,
    now: dt.datetime,
) -> SourceOut:
    """With what is known of it now; credentials only by how they are kept."""
    name, kind = SourceName(source.source), Kind(source.kind)
    known = await read_known(session, name)
    address = source.base_url or usual_address(kind, hosts)
    called = kind not in UNCONNECTED and address
    return SourceOut(
        source=name,
        kind=kind,
        base_url=source.base_url,
        options=source.options,
        credentials=_kept(source),
        last_sync=None if last is None else SyncOut.model_validate(last),
        data_through=known.data_through,
        gaps=list(known.gaps),
        gap_days=known.gap_days,
        freshness=_freshness(source, now),
        breaker=await _breaker(session, source, breaker_of(name, slug, address))
        if called
        else None,
    )


async def _breaker(session: AsyncSession, source: Source, name: str) -> BreakerState:
    owned = source.base_url is not None or source.source == SourceName.SALES
    owner = source.tenant_id if owned else None
    return BreakerState(name=name, state=await read_state(session, source.tenant_id, name, owner))


def _kept(source: Source) -> Literal["none", "sealed", "plain"]:
    if source.credentials is None:
        return "none"
    return "sealed" if is_sealed(source.credentials) else "plain"


def _freshness(source: Source, now: dt.datetime) -> Freshness:
    kind = Kind(source.kind)
    if kind in UNCONNECTED:
        unpulled: dict[Kind, Any] = {Kind.PUSH: "pushed", Kind.NONE: "none"}
        return Freshness(status=unpulled[kind], age_seconds=None)
    if source.synced_at is None:
        return Freshness(status="never", age_seconds=None)
    age = now - source.synced_at
    status: Literal["fresh", "stale"] = "stale" if age > STALE_AFTER * every(source) else "fresh"
    return Freshness(status=status, age_seconds=max(0.0, age.total_seconds()))
