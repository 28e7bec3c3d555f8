"""Who: tenants and their keys."""

import datetime as dt
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from services.training.tables.table import EMPTY, NOW, Json, Table, belongs_to


class Tenant(Table):
    __tablename__ = "tenants"

    name: Mapped[str]
    slug: Mapped[str]
    country: Mapped[str]
    subdivision: Mapped[str | None]
    timezone: Mapped[str]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    currency: Mapped[str | None]
    plan: Mapped[str]
    limits: Mapped[Json] = mapped_column(server_default=EMPTY)
    created_at: Mapped[dt.datetime] = mapped_column(server_default=NOW)


class ApiKey(Table):
    __tablename__ = "api_keys"
    __table_args__ = (
        belongs_to("tenants"),
        belongs_to("api_keys", "replaced_by"),
        Index("ix_api_keys_prefix", "prefix"),
        Index("ix_api_keys_ended", text("LEAST(revoked_at, expires_at)")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    prefix: Mapped[str]
    digest: Mapped[bytes]
    scopes: Mapped[list[str]]
    created_at: Mapped[dt.datetime] = mapped_column(server_default=NOW)
    expires_at: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]
    last_used_at: Mapped[dt.datetime | None]
    requests_per_minute: Mapped[int | None]
    replaced_by: Mapped[UUID | None]
