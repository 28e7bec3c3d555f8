"""Locations, products and the tenant's own calendar."""

from collections.abc import Sequence

from morrow.call import Call, Pages, listed, put
from morrow.schemas.sales import CalendarEvent, Location, Product
from morrow.values import Day, day_text, given


def put_location(
    location: str,
    *,
    name: str,
    latitude: float,
    longitude: float,
    timezone: str | None = None,
    country: str | None = None,
    subdivision: str | None = None,
) -> Call[Location]:
    """Make a location, or replace what is known about it."""
    body = given(
        name=name,
        latitude=latitude,
        longitude=longitude,
        timezone=timezone,
        country=country,
        subdivision=subdivision,
    )
    return put("/locations/{location}", body, location=location)


def list_locations() -> Pages[Location]:
    """The tenant's locations in order of name."""
    return listed("/locations")


def put_product(
    product: str,
    *,
    name: str | None = None,
    category: str | None = None,
    unit: str | None = None,
    price: float | None = None,
    unit_cost: float | None = None,
    salvage_value: float | None = None,
    shelf_life_days: int | None = None,
    batch_size: float | None = None,
    min_order: float | None = None,
    max_order: float | None = None,
) -> Call[Product]:
    """Make a product, or replace what is known about it: what is left out is no longer known."""
    body = given(
        name=name,
        category=category,
        unit=unit,
        price=price,
        unit_cost=unit_cost,
        salvage_value=salvage_value,
        shelf_life_days=shelf_life_days,
        batch_size=batch_size,
        min_order=min_order,
        max_order=max_order,
    )
    return put("/products/{product}", body, product=product)


def list_products() -> Pages[Product]:
    """The tenant's products in order of name."""
    return listed("/products")


def put_calendar_event(
    event_id: str,
    *,
    name: str,
    dates: Sequence[Day],
    locations: Sequence[str] | None = None,
    window_before: int = 0,
    window_after: int = 0,
) -> Call[CalendarEvent]:
    """Make an event of the tenant's calendar, or replace it. Without `locations` it holds for all;
    the windows are days around each date."""
    body = given(
        name=name,
        dates=[day_text(day) for day in dates],
        locations=None if locations is None else list(locations),
        window_before=window_before,
        window_after=window_after,
    )
    return put("/events/{id}", body, id=event_id)
