"""Bodies of the catalogue, of the calendar and of the sales."""

import datetime as dt
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from services.training.demand.findings import Code, Severity
from services.training.tenants.schemas import (
    Country,
    Latitude,
    Longitude,
    Subdivision,
    Timezone,
    check_region,
)
from shared.scalars import Day, Integer, Number
from shared.text import Name

LARGEST = 1e12
MOST_EVENT_DATES = 1_000
WIDEST_WINDOW = 30

Amount = Annotated[Number, Field(ge=0, le=LARGEST)]
Step = Annotated[Number, Field(gt=0, le=LARGEST)]
Window = Annotated[Integer, Field(ge=0, le=WIDEST_WINDOW, description="days")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class LocationBody(_Body):
    """Where sales are made. Without country and subdivision those of the tenant hold."""

    name: Name
    latitude: Latitude
    longitude: Longitude
    timezone: Timezone | None = None
    country: Country | None = None
    subdivision: Subdivision | None = None

    @model_validator(mode="after")
    def _has_a_calendar(self) -> Self:
        if self.country is not None:
            check_region(self.country, self.subdivision)
        return self


class LocationOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    location: str
    name: str
    latitude: float | None
    longitude: float | None
    timezone: str | None
    country: str | None
    subdivision: str | None


class LocationPage(BaseModel):
    items: list[LocationOut]
    next_cursor: str | None


class ProductBody(_Body):
    """All that is known about a product: what is left out is no longer known."""

    name: Name | None = None
    category: Name | None = None
    unit: Name | None = None
    price: Amount | None = None
    unit_cost: Amount | None = None
    salvage_value: Amount | None = None
    shelf_life_days: Annotated[Integer, Field(ge=0, le=36_500)] | None = None
    batch_size: Step | None = None
    min_order: Amount | None = None
    max_order: Amount | None = None

    @model_validator(mode="after")
    def _can_be_ordered(self) -> Self:
        least, most = self.min_order, self.max_order
        if least is not None and most is not None and least > most:
            raise PydanticCustomError(
                "empty_order_range",
                "min_order {least} is above max_order {most}",
                {"least": least, "most": most},
            )
        return self


class ProductOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    product: str
    name: str | None
    category: str | None
    unit: str | None
    price: float | None
    unit_cost: float | None
    salvage_value: float | None
    shelf_life_days: int | None
    batch_size: float | None
    min_order: float | None
    max_order: float | None
    created_at: dt.datetime


class ProductPage(BaseModel):
    items: list[ProductOut]
    next_cursor: str | None


class EventBody(_Body):
    """A tenant's own event, felt from `window_before` to `window_after` days around each date.
    Without `locations` it holds for all of them."""

    name: Name
    dates: Annotated[list[Day], Field(min_length=1, max_length=MOST_EVENT_DATES)]
    locations: Annotated[list[Name], Field(min_length=1, max_length=MOST_EVENT_DATES)] | None = None
    window_before: Window = 0
    window_after: Window = 0


class EventOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    dates: list[dt.date]
    locations: list[str] | None
    window_before: int
    window_after: int


class ImportReceipt(BaseModel):
    """What an import did: `received` = `inserted` + `updated` + `unchanged`."""

    received: int
    inserted: int
    updated: int
    unchanged: int


class FindingOut(BaseModel):
    """Something about the stored rows that the tenant should know or mend."""

    model_config = ConfigDict(from_attributes=True)

    code: Code
    severity: Severity
    product: str | None
    location: str | None
    count: int
    first: dt.date | None
    last: dt.date | None
    message: str
    fix: str


class FindingList(BaseModel):
    items: list[FindingOut]
    next_cursor: None = None
