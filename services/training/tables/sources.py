"""Where sales, weather and traffic come from, what each pull of them did, and what they said."""

import datetime as dt
from uuid import UUID

from sqlalchemy import Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from services.training.tables.table import EMPTY, NOW, Json, Table, belongs_to


class Source(Table):
    """How a tenant's source is connected, and how far it was read (`state`). The sync that is its
    `holder` until `held_until` may write what it reads; no other may."""

    __tablename__ = "sources"
    __table_args__ = (belongs_to("tenants"),)

    source: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    base_url: Mapped[str | None]
    options: Mapped[Json] = mapped_column(server_default=EMPTY)
    credentials: Mapped[bytes | None]
    state: Mapped[Json] = mapped_column(server_default=EMPTY)
    holder: Mapped[UUID | None]
    held_until: Mapped[dt.datetime | None]
    synced_at: Mapped[dt.datetime | None]
    updated_at: Mapped[dt.datetime] = mapped_column(server_default=NOW)


class SourceSync(Table):
    """One pull of a source."""

    __tablename__ = "source_syncs"
    __table_args__ = (
        belongs_to("tenants"),
        Index("ix_source_syncs_created", "tenant_id", "source", "created_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    source: Mapped[str]
    kind: Mapped[str]
    cause: Mapped[str]
    status: Mapped[str]
    pages: Mapped[int] = mapped_column(server_default=text("0"))
    rows: Mapped[int] = mapped_column(server_default=text("0"))
    warnings: Mapped[list[Json]] = mapped_column(server_default=text("'[]'::jsonb"))
    error: Mapped[Json | None]
    created_at: Mapped[dt.datetime] = mapped_column(server_default=NOW)
    started_at: Mapped[dt.datetime | None]
    finished_at: Mapped[dt.datetime | None]


class OrderLine(Table):
    """What one order of a till sold, or took back, of a product on a business day. Kept because
    an edit of an old order must change the sum of its day, and may move it to another."""

    __tablename__ = "order_lines"
    __table_args__ = (
        belongs_to("tenants"),
        Index("ix_order_lines_day", "tenant_id", "day", "location", "product"),
    )

    order_id: Mapped[str] = mapped_column(primary_key=True)
    location: Mapped[str] = mapped_column(primary_key=True)
    product: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[dt.date] = mapped_column(primary_key=True)
    quantity: Mapped[float]


class WeatherDay(Table):
    """A day's weather at a cell of the grid: as it came (`lead` 0), or as it was foreseen at the
    end of the day so many days before. `known_at` is when that was known; the latest word holds.
    Temperatures in °C, precipitation in mm, wind in m/s, sunshine in seconds."""

    __tablename__ = "weather_days"
    __table_args__ = (belongs_to("tenants"),)

    cell: Mapped[str] = mapped_column(primary_key=True)
    date: Mapped[dt.date] = mapped_column(primary_key=True)
    lead: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    known_at: Mapped[dt.datetime]
    temp_mean: Mapped[float | None]
    temp_min: Mapped[float | None]
    temp_max: Mapped[float | None]
    precipitation: Mapped[float | None]
    wind: Mapped[float | None]
    sunshine: Mapped[float | None]


class TrafficDay(Table):
    """A day's traffic at a location: an index of any scale, the mean of so many samples."""

    __tablename__ = "traffic_days"
    __table_args__ = (belongs_to("tenants"),)

    location: Mapped[str] = mapped_column(primary_key=True)
    date: Mapped[dt.date] = mapped_column(primary_key=True)
    level: Mapped[float]
    samples: Mapped[int] = mapped_column(server_default=text("1"))
    known_at: Mapped[dt.datetime]
