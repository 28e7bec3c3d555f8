"""`morrow forecast`: what will be sold."""

from typing import TYPE_CHECKING, Annotated

import typer

from services.training.commands.calling import tenant_call
from services.training.commands.options import DEFAULT_URL, AsJson, Key, Url

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from morrow.schemas import Forecast, ForecastDay

LEVELS = LOW, MEDIAN, HIGH = "0.1", "0.5", "0.9"
WEEK = 7
BAR_WIDTH = 30


def forecast(
    product: Annotated[str | None, typer.Argument(help="all of them if none is named")] = None,
    location: Annotated[str, typer.Option(help="of the product")] = "main",
    first: Annotated[str | None, typer.Option("--from", help="first day, YYYY-MM-DD")] = None,
    days: Annotated[int | None, typer.Option(help="how many", min=1, max=400)] = None,
    url: Url = DEFAULT_URL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Show the forecast of one product day by day, or of every product for its coming week."""
    if product is None and (first is not None or days is not None):
        raise typer.BadParameter("--from and --days need a product", param_hint="'PRODUCT'")
    with tenant_call(url, key, as_json) as (client, screen):
        if product is None:
            every = list(client.list_forecasts(quantiles=LEVELS))
            screen.result({"items": every}, overview(every))
            return
        found = client.get_forecast(
            product, location=location, first=first, days=days, quantiles=LEVELS
        )
        screen.result(found, heading(found), day_table(found["days"]))


def overview(forecasts: "list[Forecast]") -> "Table":
    """A line for each series: its first seven days, in all and one by one."""
    from rich.markup import escape

    from services.training.commands.plot import sparkline
    from services.training.commands.screen import table

    shown = table(
        *("product", "location", "from", "7 days", "in units", "next open day (80 %)"),
        *("family", "level"),
        right=("in units",),
    )
    for item in forecasts:
        week = item["days"][:WEEK]
        shown.add_row(
            *(escape(item["product"]), escape(item["location"]), week[0]["date"]),
            *(sparkline(means(week)), units(sum(day["mean"] for day in week))),
            *(next_open(week), item["family"], item["level"]),
        )
    return shown


def heading(forecast: "Forecast") -> str:
    why = f" ({forecast['reason']})" if forecast["reason"] else ""
    return (
        f"{forecast['product']} at {forecast['location']}, by {forecast['family']} as "
        f"{forecast['level']}{why}; sales known through {forecast['data_through']}"
    )


def day_table(days: "list[ForecastDay]") -> "Table":
    """A line for each day: mean, 80 % interval, and a bar."""
    from services.training.commands.plot import bar
    from services.training.commands.screen import table

    top = max((day["mean"] for day in days), default=0.0)
    shown = table("day", "units", "80 % interval", "", right=("units", "80 % interval"))
    for day in days:
        if day["open"]:
            drawn = bar(day["mean"], top, BAR_WIDTH)
            shown.add_row(weekday(day["date"]), units(day["mean"]), interval(day), drawn)
        else:
            shown.add_row(weekday(day["date"]), "", "", "closed", style="dim")
    return shown


def means(days: "Sequence[ForecastDay]") -> list[float | None]:
    return [day["mean"] if day["open"] else None for day in days]


def next_open(days: "Sequence[ForecastDay]") -> str:
    """The first of the days with sale: its name, mean and 80 % interval."""
    for day in days:
        if day["open"]:
            return f"{weekday(day['date'])[:3]} {units(day['mean'])} ({interval(day)})"
    return "closed"


def interval(day: "ForecastDay") -> str:
    return f"{units(day['quantiles'][LOW])}–{units(day['quantiles'][HIGH])}"


def units(value: float) -> str:
    """Whole units where they are many, tenths where a few."""
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"


def weekday(iso_date: str) -> str:
    from datetime import date

    return f"{date.fromisoformat(iso_date):%a %Y-%m-%d}"
