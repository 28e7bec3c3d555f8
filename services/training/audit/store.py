"""Reading the record: a tenant's own chain, and what the operator did that concerns it."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, exists, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.audit.action import Action
from services.training.audit.actor import Actor
from services.training.tables.audit import AuditEntry
from services.training.tables.breakers import EVERYBODY

OPERATORS, OWN = 0, 1
"""Which of the two chains; of entries of one moment the own come first."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where an entry stands among those of both chains; a later one is the greater. Of a chain's
    entries of one microsecond any may come first: what counts them would tell a tenant how much
    the operator did for others."""

    at: dt.datetime
    chain: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Wanted:
    """`since` is among them, `until` is not; None bounds nothing."""

    since: dt.datetime | None = None
    until: dt.datetime | None = None
    action: Action | None = None
    before: Place | None = None


async def list_entries(
    session: AsyncSession, tenant_id: UUID, wanted: Wanted, most: int
) -> Sequence[AuditEntry]:
    """What the session's tenant may see, newest first."""
    found: list[AuditEntry] = []
    for chain in (OWN, OPERATORS):
        query = (
            select(AuditEntry)
            .where(*_of_chain(chain, tenant_id), *_conditions(wanted, chain))
            .order_by(AuditEntry.at.desc(), AuditEntry.hash.desc())
            .limit(most)
        )
        found += await session.scalars(query)
    newest_first = sorted(found, key=lambda entry: place_of(entry, tenant_id), reverse=True)
    return newest_first[:most]


async def has_acted(session: AsyncSession, actor: Actor, action: Action) -> bool:
    """Whether the session's tenant has such an entry of that actor."""
    found = exists().where(AuditEntry.action == action.value, AuditEntry.actor == actor.name)
    return bool(await session.scalar(select(found)))


def place_of(entry: AuditEntry, tenant_id: UUID) -> Place:
    return Place(entry.at, OWN if entry.tenant_id == tenant_id else OPERATORS, entry.hash)


def _of_chain(chain: int, tenant_id: UUID) -> list[ColumnElement[bool]]:
    if chain == OWN:
        return [AuditEntry.tenant_id == tenant_id]
    return [AuditEntry.tenant_id == EVERYBODY, AuditEntry.concerns == tenant_id]


def _conditions(wanted: Wanted, chain: int) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.since is not None:
        conditions.append(AuditEntry.at >= wanted.since)
    if wanted.until is not None:
        conditions.append(AuditEntry.at < wanted.until)
    if wanted.action is not None:
        conditions.append(AuditEntry.action == wanted.action.value)
    if wanted.before is not None:
        conditions.append(_comes_after(wanted.before, chain))
    return conditions


def _comes_after(place: Place, chain: int) -> ColumnElement[bool]:
    """Whether an entry of the chain is older than that place."""
    if chain == place.chain:
        return tuple_(AuditEntry.at, AuditEntry.hash) < (place.at, place.hash)
    return AuditEntry.at <= place.at if chain < place.chain else AuditEntry.at < place.at
