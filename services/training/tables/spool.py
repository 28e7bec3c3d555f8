"""What became of the batches that waited on a disk while the database was away."""

import datetime as dt
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from services.training.tables.table import NOW, Json, Table, belongs_to


class SpoolReceipt(Table):
    """Written in the transaction of the rows it is of: a batch is applied if and only if it has
    one that says so."""

    __tablename__ = "spool_receipts"
    __table_args__ = (
        belongs_to("tenants"),
        Index("ix_spool_receipts_ended", "tenant_id", "ended_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    status: Mapped[str]
    received: Mapped[int]
    bytes: Mapped[int]
    received_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime] = mapped_column(server_default=NOW)
    result: Mapped[Json | None]
    error: Mapped[Json | None]
