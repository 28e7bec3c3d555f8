"""What is sold where: the catalogue, the sales, and what is known about a day."""

import datetime as dt

from sqlalchemy import ForeignKeyConstraint, Identity, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from services.training.tables.table import NOW, Json, Table, belongs_to


class Location(Table):
    __tablename__ = "locations"
    __table_args__ = (belongs_to("tenants"),)

    location: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    timezone: Mapped[str | None]
    country: Mapped[str | None]
    subdivision: Mapped[str | None]


class Product(Table):
    __tablename__ = "products"
    __table_args__ = (belongs_to("tenants"),)

    product: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    category: Mapped[str | None]
    unit: Mapped[str | None]
    price: Mapped[float | None]
    unit_cost: Mapped[float | None]
    salvage_value: Mapped[float | None]
    shelf_life_days: Mapped[int | None]
    batch_size: Mapped[float | None]
    min_order: Mapped[float | None]
    max_order: Mapped[float | None]
    created_at: Mapped[dt.datetime] = mapped_column(server_default=NOW)


class Series(Table):
    """One product at one location; `id` keeps the sales rows narrow."""

    __tablename__ = "series"
    __table_args__ = (
        belongs_to("tenants"),
        UniqueConstraint("tenant_id", "location", "product"),
        ForeignKeyConstraint(
            ["tenant_id", "location"], ["locations.tenant_id", "locations.location"]
        ),
        ForeignKeyConstraint(["tenant_id", "product"], ["products.tenant_id", "products.product"]),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    location: Mapped[str]
    product: Mapped[str]


class Sale(Table):
    """One day of one series. No foreign key: a million checks would cost more than the load,
    and rows come in only through `sales/store.py`, which has just made or found the series."""

    __tablename__ = "sales"

    series_id: Mapped[int] = mapped_column(primary_key=True)
    date: Mapped[dt.date] = mapped_column(primary_key=True)
    quantity: Mapped[float | None]
    price: Mapped[float | None]
    promotion: Mapped[float | None]
    stockout: Mapped[bool | None]
    open: Mapped[bool | None]
    updated_at: Mapped[dt.datetime] = mapped_column(server_default=NOW)


class SaleCorrection(Table):
    """A quantity that was replaced: what it was, what it became, and when."""

    __tablename__ = "sale_corrections"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    series_id: Mapped[int]
    date: Mapped[dt.date]
    quantity_before: Mapped[float | None]
    quantity_after: Mapped[float | None]
    corrected_at: Mapped[dt.datetime] = mapped_column(server_default=NOW)


class RegressorDay(Table):
    """What is known about a day; '' for location or product means all of them."""

    __tablename__ = "regressor_days"
    __table_args__ = (belongs_to("tenants"),)

    location: Mapped[str] = mapped_column(primary_key=True)
    product: Mapped[str] = mapped_column(primary_key=True)
    date: Mapped[dt.date] = mapped_column(primary_key=True)
    values: Mapped[Json]


class CalendarEvent(Table):
    __tablename__ = "calendar_events"
    __table_args__ = (belongs_to("tenants"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    dates: Mapped[list[dt.date]]
    locations: Mapped[list[str] | None]
    window_before: Mapped[int] = mapped_column(server_default=text("0"))
    window_after: Mapped[int] = mapped_column(server_default=text("0"))
