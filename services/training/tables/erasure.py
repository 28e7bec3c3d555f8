"""What remains of a tenant that was erased."""

import datetime as dt

from sqlalchemy.orm import Mapped, mapped_column

from services.training.tables.table import EMPTY, NOW, Json, Table


class Erasure(Table):
    """A receipt, begun when the tenant begins to go; it outlives its tenant. While `finished_at` is
    null there is more to erase. `remaining` is what the last scan found, by its place; `digest`
    is of the finished receipt, and stands in the record as well."""

    __tablename__ = "erasures"

    asked_at: Mapped[dt.datetime] = mapped_column(server_default=NOW)
    touched_at: Mapped[dt.datetime] = mapped_column(server_default=NOW)
    rows: Mapped[Json] = mapped_column(server_default=EMPTY)
    audit_entries: Mapped[int] = mapped_column(server_default="0")
    artifacts: Mapped[int] = mapped_column(server_default="0")
    spooled: Mapped[int] = mapped_column(server_default="0")
    finished_at: Mapped[dt.datetime | None]
    remaining: Mapped[Json] = mapped_column(server_default=EMPTY)
    digest: Mapped[str | None]
