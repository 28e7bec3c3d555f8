"""Locations, products and calendar events in the database."""

from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

from pydantic_core import PydanticCustomError
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.training import tables
from services.training.sales.schemas import EventBody, LocationBody, ProductBody
from services.training.tenants.schemas import check_region
from shared.errors import invalid

Kept = TypeVar("Kept", tables.Location, tables.Product, tables.CalendarEvent)


async def put_location(
    session: AsyncSession, tenant_id: UUID, location: str, body: LocationBody
) -> tables.Location:
    """The location as `body` says, made if it is new."""
    if body.subdivision is not None and body.country is None:
        await _check_subdivision(session, tenant_id, body.subdivision)
    key = {"tenant_id": tenant_id, "location": location}
    return await _put(session, tables.Location, key, body.model_dump())


async def _check_subdivision(session: AsyncSession, tenant_id: UUID, subdivision: str) -> None:
    tenant = await session.get_one(tables.Tenant, tenant_id)
    try:
        check_region(tenant.country, subdivision)
    except PydanticCustomError as error:
        raise invalid("subdivision", error.type, error.message()) from None


async def put_product(
    session: AsyncSession, tenant_id: UUID, product: str, body: ProductBody
) -> tables.Product:
    """The product as `body` says, made if it is new."""
    key = {"tenant_id": tenant_id, "product": product}
    return await _put(session, tables.Product, key, body.model_dump())


async def put_event(
    session: AsyncSession, tenant_id: UUID, event_id: str, body: EventBody
) -> tables.CalendarEvent:
    """The event as `body` says, its dates in order, made if it is new."""
    values = body.model_dump() | {"dates": sorted(set(body.dates))}
    return await _put(
        session, tables.CalendarEvent, {"tenant_id": tenant_id, "id": event_id}, values
    )


async def _put(
    session: AsyncSession, table: type[Kept], key: dict[str, Any], values: dict[str, Any]
) -> Kept:
    statement = (
        insert(table)
        .values(**key, **values)
        .on_conflict_do_update(index_elements=list(key), set_=values)
        .returning(table)
    )
    return (await session.scalars(statement)).one()


async def list_locations(session: AsyncSession, after: str, most: int) -> Sequence[tables.Location]:
    """At most so many locations whose names come after `after`."""
    found = await session.scalars(
        select(tables.Location)
        .where(tables.Location.location > after)
        .order_by(tables.Location.location)
        .limit(most)
    )
    return found.all()


async def list_products(session: AsyncSession, after: str, most: int) -> Sequence[tables.Product]:
    """At most so many products whose names come after `after`."""
    found = await session.scalars(
        select(tables.Product)
        .where(tables.Product.product > after)
        .order_by(tables.Product.product)
        .limit(most)
    )
    return found.all()
