"""Locations, products and the tenant's own calendar."""

from typing import Annotated

from fastapi import APIRouter, Path

from services.training.deps import Ingester, Reader, Transaction
from services.training.sales import catalogue
from services.training.sales.schemas import (
    EventBody,
    EventOut,
    LocationBody,
    LocationOut,
    LocationPage,
    ProductBody,
    ProductOut,
    ProductPage,
)
from shared.paging import DEFAULT_LIMIT, Cursor, Limit, decode_cursor, next_cursor
from shared.text import Name

router = APIRouter(tags=["catalogue"])
PathName = Annotated[Name, Path()]


@router.put("/locations/{location:path}")
async def put_location(
    location: PathName, body: LocationBody, caller: Ingester, session: Transaction
) -> LocationOut:
    """Make a location, or replace what is known about it."""
    kept = await catalogue.put_location(session, caller, location, body)
    return LocationOut.model_validate(kept)


@router.get("/locations")
async def list_locations(
    _: Reader, session: Transaction, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> LocationPage:
    """The tenant's locations in order of name."""
    found = await catalogue.list_locations(session, _after(cursor), limit)
    return LocationPage(
        items=[LocationOut.model_validate(item) for item in found],
        next_cursor=next_cursor(len(found) == limit, found[-1].location) if found else None,
    )


@router.put("/products/{product:path}")
async def put_product(
    product: PathName, body: ProductBody, caller: Ingester, session: Transaction
) -> ProductOut:
    """Make a product, or replace what is known about it."""
    kept = await catalogue.put_product(session, caller, product, body)
    return ProductOut.model_validate(kept)


@router.get("/products")
async def list_products(
    _: Reader, session: Transaction, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> ProductPage:
    """The tenant's products in order of name."""
    found = await catalogue.list_products(session, _after(cursor), limit)
    return ProductPage(
        items=[ProductOut.model_validate(item) for item in found],
        next_cursor=next_cursor(len(found) == limit, found[-1].product) if found else None,
    )


@router.put("/events/{id:path}")
async def put_event(
    id: PathName, body: EventBody, caller: Ingester, session: Transaction
) -> EventOut:
    """Make an event of the tenant's calendar, or replace it."""
    kept = await catalogue.put_event(session, caller, id, body)
    return EventOut.model_validate(kept)


def _after(cursor: str | None) -> str:
    key = decode_cursor(cursor, str)
    return str(key[0]) if key else ""
