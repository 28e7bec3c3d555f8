"""The record of what was done, chained by the database itself."""

import datetime as dt
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, FetchedValue, Index
from sqlalchemy.orm import Mapped, mapped_column

from services.training.tables.table import Json, Table

MOST_BYTES: Final = 8192
"""Of `before`, and of `after`, as JSON."""
BY_TRIGGER: Final = FetchedValue()
"""No role of the service may name these columns: the trigger `audit_chain` fills them in."""


class AuditEntry(Table):
    """What was done. It outlives its tenant, so it refers to none.

    `concerns` is the tenant that an act of the operator is about; such an entry stands in the chain
    of nobody's tenant. When a tenant is erased, `actor` to `salt` become null: the chain holds
    their digest only.
    """

    __tablename__ = "audit_log"
    __table_args__ = (
        Index("ix_audit_log_at", "tenant_id", "at"),
        Index("ix_audit_log_concerns", "tenant_id", "concerns", "at"),
        CheckConstraint(f"octet_length(before::text) <= {MOST_BYTES}", "ck_audit_log_before"),
        CheckConstraint(f"octet_length(after::text) <= {MOST_BYTES}", "ck_audit_log_after"),
    )

    seq: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, server_default=BY_TRIGGER
    )
    at: Mapped[dt.datetime] = mapped_column(server_default=BY_TRIGGER)
    action: Mapped[str]
    request_id: Mapped[str | None]
    concerns: Mapped[UUID | None]
    actor: Mapped[str | None]
    key_prefix: Mapped[str | None]
    subject: Mapped[str | None]
    before: Mapped[Json | None]
    after: Mapped[Json | None]
    salt: Mapped[bytes | None] = mapped_column(server_default=BY_TRIGGER)
    details_hash: Mapped[bytes] = mapped_column(server_default=BY_TRIGGER)
    hash: Mapped[bytes] = mapped_column(server_default=BY_TRIGGER)


class AuditHead(Table):
    """The last entry of a tenant's chain, so that one cut off its end is missed."""

    __tablename__ = "audit_heads"

    seq: Mapped[int]
    hash: Mapped[bytes]
