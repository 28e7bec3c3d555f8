"""Forecasts over HTTP: one series, all of them, and what one day is made of."""

import datetime as dt
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from services.training.deps import Held, KnownReader, Reader
from services.training.forecasts.answers import answer_for, ask_or_recall, forecast_out
from services.training.forecasts.explain import explain_day
from services.training.forecasts.export import MEDIA_TYPES, stream_export
from services.training.forecasts.ladder import Answer, best_model
from services.training.forecasts.quantiles import Asked
from services.training.forecasts.recent import HeldForecasts
from services.training.forecasts.schemas import Explanation, ForecastOut
from services.training.models.store import find_series
from shared.database import tenant_transaction
from shared.errors import Problem, invalid, not_found
from shared.scalars import Day
from shared.text import Name

router = APIRouter(tags=["forecasts"])

MOST_DAYS = 400
DEGRADED: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "headers": {
            "Age": {
                "description": "seconds since the database said so; only if `degraded`",
                "schema": {"type": "integer"},
            },
            "X-Morrow-Degraded": {
                "description": "why the answer is not of now; only if `degraded`",
                "schema": {"type": "string"},
            },
        }
    }
}


@router.get("/forecasts", responses=DEGRADED)
async def get_forecast(
    response: Response,
    caller: KnownReader,
    held: Held,
    recent: HeldForecasts,
    asked: Asked,
    product: Annotated[Name, Query()],
    location: Annotated[Name, Query()] = "main",
    first: Annotated[Day | None, Query(alias="from")] = None,
    days: Annotated[int | None, Query(ge=1, le=MOST_DAYS)] = None,
) -> ForecastOut:
    """The forecast of one series, by the best rung of the ladder that can answer. While the
    database is away what it said last, marked as `degraded`, with its `Age`."""

    async def ask() -> ForecastOut:
        answer = await answer_for(held.sessions, caller.tenant_id, product, location, days)
        return forecast_out(product, location, _cut(answer, first, days), asked)

    query = (product, location, first, days, tuple(asked.levels.items()), asked.whole)
    forecast = await ask_or_recall(ask, query, caller, held, recent)
    held.served.note(caller.tenant_id)
    if forecast.degraded:
        response.headers["Age"] = f"{forecast.age_seconds or 0:.0f}"
        response.headers["X-Morrow-Degraded"] = "database_unavailable"
    return forecast


@router.get(
    "/forecasts/export",
    response_class=StreamingResponse,
    responses={200: {"content": {media: {} for media in MEDIA_TYPES.values()}}},
)
async def export_forecasts(
    caller: Reader,
    held: Held,
    asked: Asked,
    format: Literal["csv", "parquet", "json"] = "csv",
) -> StreamingResponse:
    """Every series' forecast, streamed."""
    served = partial(held.served.note, caller.tenant_id)
    body = stream_export(held.sessions, caller.tenant_id, format, asked, served)
    return StreamingResponse(
        body,
        media_type=MEDIA_TYPES[format],
        headers={"Content-Disposition": f'attachment; filename="forecasts.{format}"'},
    )


@router.get("/forecasts/{product:path}/explain")
async def explain_forecast(
    product: Name,
    caller: Reader,
    held: Held,
    date: Annotated[Day, Query()],
    location: Annotated[Name, Query()] = "main",
) -> Explanation:
    """The additive parts of one day's mean."""
    async with tenant_transaction(held.sessions, caller.tenant_id) as session:
        series_id = await find_series(session, product, location)
        if series_id is None:
            raise not_found("series", f"{product} at {location}")
        _, model, reason = await best_model(session, series_id)
        if model is None:
            raise Problem(409, "nothing_to_explain", f"the baseline answers here: {reason}")
        return explain_day(product, location, model, date)


def _cut(answer: Answer, first: dt.date | None, days: int | None) -> Answer:
    """The days asked for; 422 naming the days there are where some are not."""
    there = answer.days
    start = first or there[0].date
    kept = [day for day in there if day.date >= start]
    if start < there[0].date or not kept:
        raise invalid("from", "outside_forecast", _range(answer))
    if days is not None and days > len(kept):
        raise invalid("days", "outside_forecast", _range(answer))
    return replace(answer, days=kept if days is None else kept[:days])


def _range(answer: Answer) -> str:
    first, last = answer.days[0].date, answer.days[-1].date
    return f"this forecast is of {first} to {last}; train with a longer horizon_days for more"
