"""The sample suppliers as one HTTP application: sales, weather of two kinds, traffic of two."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import numpy as np
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.training.sample.upstream import open_meteo
from services.training.sample.upstream.mishaps import Mishaps
from services.training.sample.upstream.open_meteo import Refused
from services.training.sample.upstream.skies import Skies
from services.training.sample.upstream.till import Till

TRAFFIC_OF_WEEKDAYS: Final = (1.0, 1.02, 1.03, 1.05, 1.12, 0.9, 0.6)
FREE_FLOW: Final = 50.0


@dataclass(frozen=True, slots=True)
class Suppliers:
    """What is known to all of them; `clock` gives the instant at which they are asked."""

    till: Till
    skies: Skies
    clock: Callable[[], datetime]
    mishaps: Mishaps


def suppliers_app(suppliers: Suppliers) -> Starlette:
    """Paths as in the contracts; `POST /fail`, `POST /heal` and `GET /calls` beside them."""

    def route(path: str, supplier: str, answer: Callable[[Mapping[str, str]], object]) -> Route:
        async def endpoint(request: Request) -> Response:
            instead = await suppliers.mishaps.strike(supplier)
            return instead or _answered(lambda: answer(request.query_params))

        return Route(path, endpoint)

    skies, clock = suppliers.skies, suppliers.clock
    return Starlette(
        routes=[
            route("/sales", "sales", lambda query: sales(suppliers.till, query)),
            route("/v1/archive", "weather", lambda q: open_meteo.archive(skies, q, clock())),
            route("/v1/forecast", "weather", lambda q: open_meteo.forecast(skies, q, clock())),
            route("/weather", "weather", lambda query: weather(skies, query, clock())),
            route("/traffic", "traffic", lambda query: traffic(query, clock())),
            route("/flow", "traffic", lambda query: flow(query, clock())),
            Route("/fail", suppliers.mishaps.fail, methods=["POST"]),
            Route("/heal", suppliers.mishaps.heal, methods=["POST"]),
            Route("/calls", suppliers.mishaps.tell),
        ]
    )


def _answered(answer: Callable[[], object]) -> Response:
    try:
        return JSONResponse(answer())
    except Refused as refused:
        return JSONResponse({"error": True, "reason": str(refused)}, 400)
    except (KeyError, ValueError) as error:
        return JSONResponse({"error": True, "reason": f"not understood: {error}"}, 400)


def sales(till: Till, query: Mapping[str, str]) -> object:
    since = query.get("updated_since")
    rows, following = till.page(
        None if since is None else datetime.fromisoformat(since),
        int(query.get("cursor", "0")),
        min(int(query.get("limit", "1000")), 1000),
    )
    return {"items": rows, "next_cursor": None if following is None else str(following)}


def weather(skies: Skies, query: Mapping[str, str], now: datetime) -> object:
    """As known at `known_at`: what had been by then as it came, the rest as foreseen."""
    known_at = datetime.fromisoformat(query["known_at"]) if "known_at" in query else now
    day_known = min(known_at, now).date()
    items = []
    for day in _days(query):
        lead = (day - day_known).days
        told = skies.as_came(day) if lead <= 0 else skies.as_foreseen(day, lead)
        if told:
            items.append({"date": day.isoformat(), **told})
    return {"items": items}


def traffic(query: Mapping[str, str], now: datetime) -> object:
    items = [
        {"date": day.isoformat(), "index": round(100 * _traffic_of(day), 1)}
        for day in _days(query)
        if day < now.date()
    ]
    return {"items": items}


def flow(query: Mapping[str, str], now: datetime) -> object:
    """A point and an instant, as flow services tell it."""
    latitude, longitude = (float(each) for each in query["point"].split(","))
    speed = FREE_FLOW / (0.8 + 0.4 * _traffic_of(now.date()))
    return {
        "flowSegmentData": {
            "currentSpeed": round(speed, 1),
            "freeFlowSpeed": FREE_FLOW,
            "confidence": 1.0,
            "roadClosure": False,
            "coordinates": {"coordinate": [{"latitude": latitude, "longitude": longitude}]},
        }
    }


def _traffic_of(day: date) -> float:
    noise = np.random.default_rng(day.toordinal()).normal(0, 0.04)
    return float(TRAFFIC_OF_WEEKDAYS[day.weekday()] + noise)


def _days(query: Mapping[str, str]) -> list[date]:
    first, last = date.fromisoformat(query["start"]), date.fromisoformat(query["end"])
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
