"""What was learnt: model versions, their aliases and their forecasts."""

import datetime as dt
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from services.training.tables.table import NOW, Json, Table, belongs_to


class Model(Table):
    __tablename__ = "models"
    __table_args__ = (
        belongs_to("series", "series_id"),
        UniqueConstraint("tenant_id", "series_id", "version"),
        Index(
            "ix_models_with_trials",
            "tenant_id",
            "created_at",
            postgresql_where=text("detail -> 'trials' <> '[]'::jsonb"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    series_id: Mapped[int]
    version: Mapped[int]
    family: Mapped[str]
    params: Mapped[Json]
    scores: Mapped[Json]
    baseline_scores: Mapped[Json]
    skill: Mapped[float | None]
    stage: Mapped[str]
    confidence: Mapped[float]
    detail: Mapped[Json]
    fingerprint: Mapped[str]
    sha256: Mapped[str]
    bytes: Mapped[int]
    dataset_sha256: Mapped[str | None]
    horizon_days: Mapped[int]
    interval_coverage: Mapped[float | None]
    trained_through: Mapped[dt.date]
    created_at: Mapped[dt.datetime] = mapped_column(server_default=NOW)
    quarantined_at: Mapped[dt.datetime | None]


class ModelAlias(Table):
    __tablename__ = "model_aliases"
    __table_args__ = (
        belongs_to("series", "series_id"),
        belongs_to("models", "model_id"),
    )

    series_id: Mapped[int] = mapped_column(primary_key=True)
    alias: Mapped[str] = mapped_column(primary_key=True)
    model_id: Mapped[UUID]


class Forecast(Table):
    """A day of a model's forecast; `quantiles` stand in the order of `demand.LEVELS`."""

    __tablename__ = "forecasts"
    __table_args__ = (belongs_to("models", "model_id"),)

    model_id: Mapped[UUID] = mapped_column(primary_key=True)
    date: Mapped[dt.date] = mapped_column(primary_key=True)
    mean: Mapped[float]
    quantiles: Mapped[list[float]]
    open: Mapped[bool]
