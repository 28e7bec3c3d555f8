"""The ladder: the champion's forecast, else the previous champion's, else the baseline's.

When the latest training did not beat the same-weekday baseline where it was judged, the baseline
answers; a quarantined model has lost its artifact, so the one before it answers.
"""

import asyncio
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.training import tables
from services.training.demand.baseline import Baseline, NothingKnownError, forecast_baseline
from services.training.demand.series import Series
from services.training.forecasts.schemas import Level
from services.training.models.aliases import Alias
from services.training.sales.assemble import Window
from services.training.sales.snapshot import list_series, read_series

RUNGS = ((Level.CHAMPION, Alias.CHAMPION), (Level.PREVIOUS, Alias.PREVIOUS))
BASELINE_WINDOW_DAYS = 400
DEFAULT_HORIZON_DAYS = 28


@dataclass(frozen=True, slots=True)
class Day:
    """`quantiles` stand in the order of `demand.LEVELS`."""

    date: dt.date
    mean: float
    quantiles: Sequence[float]
    open: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """A forecast, and which rung it stands on."""

    level: Level
    reason: str | None
    family: str
    model_id: UUID | None
    issued_at: dt.datetime
    data_through: dt.date
    interval_coverage: float | None
    days: Sequence[Day]


async def best_model(
    session: AsyncSession, series_id: int
) -> tuple[Level, tables.Model | None, str]:
    """The rung that answers, its model, and why not a higher one ('' for the champion)."""
    models = await _by_alias(session, series_id)
    paper = models.get(Alias.PAPER)
    if paper is not None:
        return Level.BASELINE, None, f"version {paper.version} did not beat the baseline"
    reason = "not trained yet"
    for level, alias in RUNGS:
        model = models.get(alias)
        if model is None:
            continue
        if model.quarantined_at is not None:
            reason = f"the artifact of version {model.version} is corrupt: train again"
        elif not model.horizon_days:
            reason = f"version {model.version} was imported without a forecast: train again"
        else:
            return level, model, "" if level is Level.CHAMPION else reason
    return Level.BASELINE, None, reason


async def model_answer(
    session: AsyncSession, level: Level, model: tables.Model, reason: str
) -> Answer:
    """What the model forecast when it was trained."""
    rows = await session.execute(
        select(
            tables.Forecast.date,
            tables.Forecast.mean,
            tables.Forecast.quantiles,
            tables.Forecast.open,
        )
        .where(tables.Forecast.model_id == model.id)
        .order_by(tables.Forecast.date)
    )
    return Answer(
        level=level,
        reason=reason or None,
        family=model.family,
        model_id=model.id,
        issued_at=model.created_at,
        data_through=model.trained_through,
        interval_coverage=model.interval_coverage,
        days=[Day(*row) for row in rows],
    )


async def read_for_baseline(
    session: AsyncSession, product: str, location: str, horizon_days: int
) -> Series | None:
    """The recent past of a series and its plan, as the baseline needs them; None without a day
    of known quantity."""
    keys = await list_series(session, [product], [location])
    found = await read_series(
        session, keys, horizon_days=horizon_days, window=Window(BASELINE_WINDOW_DAYS)
    )
    return next(iter(found.values()), None)


async def baseline_answer(series: Series, reason: str, now: dt.datetime) -> Answer | None:
    """The same-weekday mean, computed now; None where there is no day to average."""
    try:
        prediction = await asyncio.to_thread(forecast_baseline, series)
    except NothingKnownError:
        return None
    days = [
        Day(day.date(), float(mean), [float(value) for value in quantiles], bool(is_open))
        for day, mean, quantiles, is_open in zip(
            series.plan.index,
            prediction.mean,
            prediction.quantiles,
            series.plan["open"],
            strict=True,
        )
    ]
    return Answer(
        level=Level.BASELINE,
        reason=reason,
        family=Baseline.SAME_WEEKDAY_MEAN.value,
        model_id=None,
        issued_at=now,
        data_through=series.history.index[-1].date(),
        interval_coverage=None,
        days=days,
    )


async def _by_alias(session: AsyncSession, series_id: int) -> dict[str, tables.Model]:
    rows = await session.execute(
        select(tables.ModelAlias.alias, tables.Model)
        .join(tables.Model, tables.Model.id == tables.ModelAlias.model_id)
        .where(tables.ModelAlias.series_id == series_id)
    )
    return dict(iter(rows))
