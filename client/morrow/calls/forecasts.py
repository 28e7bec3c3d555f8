"""Forecasts."""

from collections.abc import Sequence

from morrow.call import Call, Pages, get
from morrow.schemas.forecasts import Explanation, Forecast
from morrow.values import Day, day_text

Levels = Sequence[float | str]


def get_forecast(
    product: str,
    *,
    location: str = "main",
    first: Day | None = None,
    days: int | None = None,
    quantiles: Levels | None = None,
    whole: bool = False,
) -> Call[Forecast]:
    """The forecast of one series from `first`, else from the day after the last sale. `quantiles`
    are levels between 0.01 and 0.99, (0.1, 0.5, 0.9) if none are said, in whole units if `whole`.
    """
    asked = {
        "product": product,
        "location": location,
        "from": day_text(first),
        "days": days,
        "quantiles": _levels(quantiles),
        "whole": whole or None,
    }
    return get("/forecasts", asked)


def list_forecasts(*, quantiles: Levels | None = None, whole: bool = False) -> Pages[Forecast]:
    """Every series' forecast, all in memory at once; `download_forecasts` writes them to a file."""
    return Pages(export_forecasts("json", quantiles, whole), whole=True)


def export_forecasts(format: str, quantiles: Levels | None, whole: bool) -> Call[object]:
    """Every series' forecast, streamed."""
    asked = {"format": format, "quantiles": _levels(quantiles), "whole": whole or None}
    return get("/forecasts/export", asked)


def explain_forecast(product: str, date: Day, *, location: str = "main") -> Call[Explanation]:
    """The additive parts of one day's mean."""
    asked = {"date": day_text(date), "location": location}
    return get("/forecasts/{product}/explain", asked, product=product)


def _levels(quantiles: Levels | None) -> str | None:
    return None if quantiles is None else ",".join(map(str, quantiles))
