"""When a series is trained again: the tenant's policy, what came since, and what was done."""

import datetime as dt
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from services.training.tables.table import NOW, Json, Table, belongs_to


class RetrainingPolicy(Table):
    """What a tenant wishes otherwise than by default."""

    __tablename__ = "retraining_policies"
    __table_args__ = (belongs_to("tenants"),)

    wishes: Mapped[Json]
    updated_at: Mapped[dt.datetime] = mapped_column(server_default=NOW)


class SeriesGrowth(Table):
    """How many days imports ever made known of a series, and how many known ones they corrected.

    Counted by the import itself, in its transaction: what came since is a difference of two
    numbers, and no day of sales is read for it.
    """

    __tablename__ = "series_growth"
    __table_args__ = (belongs_to("series", "series_id"),)

    series_id: Mapped[int] = mapped_column(primary_key=True)
    known_days: Mapped[int] = mapped_column(server_default=text("0"))
    corrected_days: Mapped[int] = mapped_column(server_default=text("0"))


class TrainingMark(Table):
    """What the last training of a series that came to an end had seen of it, and what it was asked
    for. `judged_days` are the known days at which its accuracy was last looked at."""

    __tablename__ = "training_marks"
    __table_args__ = (belongs_to("series", "series_id"),)

    series_id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime]
    known_days: Mapped[int]
    corrected_days: Mapped[int]
    judged_days: Mapped[int]
    asked: Mapped[Json]


class Retraining(Table):
    """Why a job trains a series again; a job that has such rows is about just these series."""

    __tablename__ = "retrainings"
    __table_args__ = (
        belongs_to("jobs", "job_id"),
        belongs_to("series", "series_id"),
        Index("ix_retrainings_series", "tenant_id", "series_id", "at"),
    )

    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    series_id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(server_default=NOW)
    cause: Mapped[Json]
