"""Sources in the database: how they are connected, who holds one, and how far it was read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.audit.action import Action
from services.training.audit.actor import Actor
from services.training.audit.record import record
from services.training.sources.faults import Superseded
from services.training.sources.kinds import KINDS, Kind, SourceName
from services.training.tables import (
    OrderLine,
    Source,
    Table,
    TrafficDay,
    WeatherDay,
)

HOLD: Final = timedelta(minutes=5)
"""Longer than any call of an upstream with its retries; what ends without a word is free then."""
SAID_BY: Final[dict[SourceName, type[Table]]] = {
    SourceName.SALES: OrderLine,
    SourceName.WEATHER: WeatherDay,
    SourceName.TRAFFIC: TrafficDay,
}
"""What is kept of a source, and means nothing any more once another kind is connected; the orders
of a till also when its address is another's."""
OF_MANNER: Final = frozenset(
    ("every_minutes", "page_size", "overlap_hours", "variables", "api_version", "path")
)
"""Options that say how and how often a source is read, and not what."""


@dataclass(frozen=True, slots=True)
class Connection:
    """How a source is to be connected; None of `credentials`: those that are kept stay."""

    source: SourceName
    kind: Kind
    base_url: str | None
    options: Mapping[str, Any]
    credentials: bytes | None


async def read_sources(session: AsyncSession) -> dict[SourceName, Source]:
    """Every source of the tenant, those that were never connected among them."""
    kept = {SourceName(each.source): each for each in await session.scalars(select(Source))}
    return {name: kept.get(name) or unconnected(name) for name in SourceName}


async def read_source(session: AsyncSession, name: SourceName) -> Source:
    kept = await session.scalar(select(Source).where(Source.source == name.value))
    return kept or unconnected(name)


def unconnected(name: SourceName) -> Source:
    """What holds of a source until it is connected; not kept."""
    return Source(source=name.value, kind=KINDS[name][0].value, options={}, state={})


async def connect(
    session: AsyncSession, tenant_id: UUID, wanted: Connection, actor: Actor
) -> Source:
    """Connect the source in place of how it was. Whoever reads it is stopped, and where kind,
    address or what is to be read changed it is read from its beginning."""
    before = await read_source(session, wanted.source)
    anew = (before.kind, before.base_url) != (wanted.kind.value, wanted.base_url)
    read_otherwise = _of_reading(before.options) != _of_reading(wanted.options)
    values: dict[str, Any] = {
        "kind": wanted.kind.value,
        "base_url": wanted.base_url,
        "options": dict(wanted.options),
        "credentials": wanted.credentials,
        "holder": None,
        "held_until": None,
        "synced_at": None if anew else before.synced_at,
        "updated_at": func.now(),
    } | ({"state": {}} if anew or read_otherwise else {})
    await session.execute(
        insert(Source)
        .values(tenant_id=tenant_id, source=wanted.source.value, **values)
        .on_conflict_do_update(index_elements=["tenant_id", "source"], set_=values)
    )
    if before.kind != wanted.kind.value or (anew and wanted.source is SourceName.SALES):
        await session.execute(delete(SAID_BY[wanted.source]))
    record(
        session,
        actor,
        Action.SOURCE_CONNECTED,
        f"source:{wanted.source.value}",
        before=_told(before.kind, before.base_url, before.options, before.credentials),
        after=_told(wanted.kind.value, wanted.base_url, wanted.options, wanted.credentials)
        | ({"signs_in_anew": True} if wanted.credentials not in (None, before.credentials) else {}),
    )
    connected = await session.scalars(
        select(Source)
        .where(Source.source == wanted.source.value)
        .execution_options(populate_existing=True)
    )
    return connected.one()


def _of_reading(options: Mapping[str, Any]) -> dict[str, Any]:
    """Those that say what is read; with others of them what was read is not what would be."""
    return {name: value for name, value in options.items() if name not in OF_MANNER}


def _told(
    kind: str, base_url: str | None, options: Mapping[str, Any], credentials: bytes | None
) -> dict[str, Any]:
    """For the record: of credentials only whether there are any."""
    signs_in = credentials is not None
    return {"kind": kind, "base_url": base_url, "options": dict(options), "signs_in": signs_in}


async def hold(
    session: AsyncSession, name: SourceName, holder: UUID, *, takeover: bool
) -> Source | None:
    """The source, held for this holder alone; None while another holds it. `takeover`: whoever
    held it is known to be gone."""
    free = or_(Source.holder.is_(None), Source.held_until < func.now(), literal(takeover))
    held = await session.scalars(
        update(Source)
        .where(Source.source == name.value, free)
        .values(holder=holder, held_until=func.now() + HOLD)
        .returning(Source)
    )
    return held.one_or_none()


async def keep_hold(session: AsyncSession, name: SourceName, holder: UUID) -> None:
    """Hold on in the caller's transaction, or raise `Superseded` so that all of it is rolled back.

    The row stays locked until the transaction ends, so nobody connects the source anew meanwhile.
    """
    kept = await session.execute(
        update(Source)
        .where(Source.source == name.value, Source.holder == holder)
        .values(held_until=func.now() + HOLD)
        .returning(Source.source)
    )
    if kept.scalar_one_or_none() is None:
        raise Superseded


async def keep_state(session: AsyncSession, name: SourceName, state: Mapping[str, Any]) -> None:
    """How far the source was read, in the transaction of what was read."""
    await session.execute(
        update(Source).where(Source.source == name.value).values(state=dict(state))
    )


async def let_go(session: AsyncSession, name: SourceName, holder: UUID, *, succeeded: bool) -> None:
    """Give the source back, if it still is this holder's."""
    values: dict[str, Any] = {"holder": None, "held_until": None}
    if succeeded:
        values["synced_at"] = func.now()
    await session.execute(
        update(Source).where(Source.source == name.value, Source.holder == holder).values(**values)
    )
