"""The catalogue, the tenant's calendar, and sales."""

from typing import Literal, TypedDict


class Location(TypedDict):
    location: str
    name: str
    latitude: float | None
    longitude: float | None
    timezone: str | None
    country: str | None
    subdivision: str | None


class Product(TypedDict):
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
    created_at: str


class CalendarEvent(TypedDict):
    """An event of the tenant's calendar, felt some days before and after each of its dates."""

    id: str
    name: str
    dates: list[str]
    locations: list[str] | None
    window_before: int
    window_after: int


class ImportReceipt(TypedDict):
    """What an import did: `received` = `inserted` + `updated` + `unchanged`."""

    received: int
    inserted: int
    updated: int
    unchanged: int


class Finding(TypedDict):
    """Something about the stored rows that one should know or mend; `fix` says how."""

    code: str
    severity: Literal["info", "warning", "refusal"]
    product: str | None
    location: str | None
    count: int
    first: str | None
    last: str | None
    message: str
    fix: str


class StoredSale(TypedDict):
    """A row as it is stored; null: unknown. `stockout` and `open` are 0 or 1."""

    date: str
    product: str
    location: str
    quantity: float | None
    price: float | None
    promotion: float | None
    stockout: int | None
    open: int | None
