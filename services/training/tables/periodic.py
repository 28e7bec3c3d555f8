"""What is done again and again: of each tenant and each kind, how often, and when next."""

import datetime as dt

from sqlalchemy.orm import Mapped, mapped_column

from services.training.tables.table import Json, Table, belongs_to


class PeriodicRun(Table):
    """The last turn at `name`. `number` counts the turns, and fences them: a turn ends only as the
    successor of the one it saw. `error` is that of the last turn, none where it went well."""

    __tablename__ = "periodic_runs"
    __table_args__ = (belongs_to("tenants"),)

    name: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int]
    next_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime]
    worker: Mapped[str]
    outcome: Mapped[Json | None]
    error: Mapped[str | None]
