"""How much a tenant asks for, and what it has used."""

import datetime as dt
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from services.training.tables.table import Table, belongs_to

UNLOGGED = {"prefixes": ["UNLOGGED"]}


class RequestBucket(Table):
    """The requests that a tenant, or a key with a limit of its own, has left."""

    __tablename__ = "request_buckets"
    __table_args__ = (belongs_to("tenants"), UNLOGGED)

    holder: Mapped[UUID] = mapped_column(primary_key=True)
    tokens: Mapped[float]
    refilled_at: Mapped[dt.datetime]


class OpenStream(Table):
    """A stream that some process holds open, and until when it is one without another word."""

    __tablename__ = "open_streams"
    __table_args__ = (belongs_to("tenants"), UNLOGGED)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    open_until: Mapped[dt.datetime]


class Usage(Table):
    """How much of one kind a tenant used on one day, UTC."""

    __tablename__ = "usage"
    __table_args__ = (belongs_to("tenants"),)

    day: Mapped[dt.date] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    amount: Mapped[float]
