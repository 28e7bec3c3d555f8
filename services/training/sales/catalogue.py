"""Locations, products and calendar events in the database."""

from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

from pydantic_core import PydanticCustomError
from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from services.training import tables
from services.training.audit.action import Action
from services.training.audit.record import record
from services.training.identity.caller import Caller
from services.training.metering.caps import require_within_caps, take_turns
from services.training.sales.schemas import EventBody, LocationBody, ProductBody
from services.training.tenants.schemas import check_region
from shared.errors import invalid

Kept = TypeVar("Kept", tables.Location, tables.Product, tables.CalendarEvent)


async def put_location(
    session: AsyncSession, caller: Caller, location: str, body: LocationBody
) -> tables.Location:
    """The location as `body` says, made if it is new."""
    if body.subdivision is not None and body.country is None:
        await _check_subdivision(session, caller.tenant_id, body.subdivision)
    return await _put(
        session, caller, Action.LOCATION_PUT, tables.Location.location, location, body.model_dump()
    )


async def _check_subdivision(session: AsyncSession, tenant_id: UUID, subdivision: str) -> None:
    tenant = await session.get_one(tables.Tenant, tenant_id)
    try:
        check_region(tenant.country, subdivision)
    except PydanticCustomError as error:
        raise invalid("subdivision", error.type, error.message()) from None


async def put_product(
    session: AsyncSession, caller: Caller, product: str, body: ProductBody
) -> tables.Product:
    """The product as `body` says, made if it is new."""
    return await _put(
        session, caller, Action.PRODUCT_PUT, tables.Product.product, product, body.model_dump()
    )


async def put_event(
    session: AsyncSession, caller: Caller, event_id: str, body: EventBody
) -> tables.CalendarEvent:
    """The event as `body` says, its dates in order, made if it is new."""
    values = body.model_dump() | {"dates": sorted(set(body.dates))}
    return await _put(session, caller, Action.EVENT_PUT, tables.CalendarEvent.id, event_id, values)


async def _put(
    session: AsyncSession,
    caller: Caller,
    action: Action,
    key: InstrumentedAttribute[str],
    name: str,
    values: dict[str, Any],
) -> Kept:
    """The row whose `key` is `name`, and an entry in the record where it is not as it was."""
    table = key.class_
    before = await session.scalar(select(table).where(key == name).with_for_update())
    told = None if before is None else {field: getattr(before, field) for field in values}
    statement = (
        insert(table)
        .values({"tenant_id": caller.tenant_id, key.key: name, **values})
        .on_conflict_do_update(index_elements=["tenant_id", key.key], set_=values)
        .returning(table)
        .execution_options(populate_existing=True)
    )
    if before is None:
        await take_turns(session)
    kept: Kept = (await session.scalars(statement)).one()
    if before is None:
        await require_within_caps(session, type(kept))
    subject = f"{action.value.partition('.')[0]}:{name}"
    record(session, caller.actor, action, subject, before=told, after=values)
    return kept


async def list_locations(session: AsyncSession, after: str, most: int) -> Sequence[tables.Location]:
    """At most so many locations whose names come after `after`."""
    return await _list_by(session, select(tables.Location), tables.Location.location, after, most)


async def list_products(session: AsyncSession, after: str, most: int) -> Sequence[tables.Product]:
    """At most so many products whose names come after `after`."""
    return await _list_by(session, select(tables.Product), tables.Product.product, after, most)


async def _list_by(
    session: AsyncSession,
    rows: Select[Kept],
    name: InstrumentedAttribute[str],
    after: str,
    most: int,
) -> Sequence[Kept]:
    return (await session.scalars(rows.where(name > after).order_by(name).limit(most))).all()
