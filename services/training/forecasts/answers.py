"""The forecast of one series, from whichever rung answers, in the shape of the API."""

import datetime as dt
from collections.abc import Awaitable, Callable, Hashable
from uuid import UUID

from services.training.deps import Resources
from services.training.forecasts.ladder import (
    DEFAULT_HORIZON_DAYS,
    Answer,
    baseline_answer,
    best_model,
    model_answer,
    read_for_baseline,
)
from services.training.forecasts.quantiles import AskedQuantiles
from services.training.forecasts.recent import RecentForecasts
from services.training.forecasts.schemas import DayOut, ForecastOut
from services.training.identity.caller import Caller
from services.training.models.store import find_series
from shared.database import Sessions, tenant_transaction
from shared.errors import Problem, database_unavailable, not_found
from shared.outage import DatabaseErrors


async def answer_for(
    sessions: Sessions, tenant_id: UUID, product: str, location: str, days: int | None
) -> Answer:
    """The best answer for a series; 404 where there is no such series, or nothing to average."""
    async with tenant_transaction(sessions, tenant_id) as session:
        series_id = await find_series(session, product, location)
        if series_id is None:
            raise not_found("series", f"{product} at {location}")
        level, model, reason = await best_model(session, series_id)
        if model is not None:
            return await model_answer(session, level, model, reason)
        horizon = max(days or 0, DEFAULT_HORIZON_DAYS)
        series = await read_for_baseline(session, product, location, horizon)
    answer = (
        None if series is None else await baseline_answer(series, reason, dt.datetime.now(dt.UTC))
    )
    if answer is None:
        raise Problem(
            404, "nothing_to_forecast", f"{product} at {location} has no day with a known quantity"
        )
    return answer


def forecast_out(product: str, location: str, answer: Answer, asked: AskedQuantiles) -> ForecastOut:
    return ForecastOut(
        product=product,
        location=location,
        model_id=answer.model_id,
        family=answer.family,
        level=answer.level,
        reason=answer.reason,
        issued_at=answer.issued_at,
        data_through=answer.data_through,
        interval_coverage=answer.interval_coverage,
        days=[
            DayOut(
                date=day.date,
                mean=day.mean,
                quantiles=asked.of(day.quantiles),
                open=day.open,
            )
            for day in answer.days
        ],
    )


async def ask_or_recall(
    ask: Callable[[], Awaitable[ForecastOut]],
    query: Hashable,
    caller: Caller,
    held: Resources,
    recent: RecentForecasts,
) -> ForecastOut:
    """What `ask` says, which is kept; while the database is away what it said the last time."""
    if caller.checked:
        try:
            forecast = await ask()
        except Problem:
            recent.drop(caller.tenant_id, query)
            raise
        except DatabaseErrors as error:
            if not await held.is_away(error):
                raise
        else:
            recent.keep(caller.tenant_id, query, forecast)
            return forecast
    kept = recent.get(caller.tenant_id, query)
    if kept is None:
        raise database_unavailable()
    return kept
