"""Last week's sales and the coming week's forecast of each product, side by side."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from morrow import Client
from morrow.schemas import Forecast, ForecastDay, JobProduct, Model, StoredSale

WEEK_DAYS = 7


@dataclass(frozen=True, slots=True)
class TwoWeeks:
    """One product. `last` holds the quantity of each day, None where unknown or closed; `coming`
    is empty for a product no longer sold. `model` is the newest version, `refusal` why there is
    none."""

    product: str
    last: Sequence[float | None]
    sold_out_days: int
    coming: Sequence[ForecastDay]
    forecast: Forecast
    model: Model | None
    refusal: str | None

    @property
    def last_units(self) -> float:
        return sum(quantity for quantity in self.last if quantity is not None)

    @property
    def coming_units(self) -> float:
        return sum(day["mean"] for day in self.coming)

    def as_json(self) -> dict[str, Any]:
        return {
            "product": self.product,
            "last_week": list(self.last),
            "sold_out_days": self.sold_out_days,
            "coming_week": list(self.coming),
            "family": self.forecast["family"],
            "level": self.forecast["level"],
            "skill": None if self.model is None else self.model["skill"],
            "refusal": self.refusal,
        }


def read_weeks(client: Client, through: date, products: Iterable[JobProduct]) -> list[TwoWeeks]:
    """Both weeks of every series that has a forecast; `through` ends the last one."""
    last = _sales_by_product(client, through)
    models = _newest_models(client)
    refusals = {item["product"]: item["error"]["message"] for item in products if item["error"]}
    return [
        TwoWeeks(
            product=(name := forecast["product"]),
            last=[_quantity(last.get((name, day))) for day in _days(through, -WEEK_DAYS + 1)],
            sold_out_days=sum(
                bool(sale["stockout"]) for (product, _), sale in last.items() if product == name
            ),
            coming=_coming(forecast, through),
            forecast=forecast,
            model=models.get(name),
            refusal=refusals.get(name),
        )
        for forecast in client.list_forecasts()
    ]


def _sales_by_product(client: Client, through: date) -> dict[tuple[str, str], StoredSale]:
    first = through - timedelta(days=WEEK_DAYS - 1)
    rows = client.read_sales(first=first, last=through)
    return {(row["product"], row["date"]): row for row in rows}


def _newest_models(client: Client) -> dict[str, Model]:
    newest: dict[str, Model] = {}
    for model in client.list_models():
        newest.setdefault(model["product"], model)  # the newest of a product comes first
    return newest


def _coming(forecast: Forecast, through: date) -> list[ForecastDay]:
    wanted = set(_days(through, 1))
    return [day for day in forecast["days"] if day["date"] in wanted]


def _days(through: date, first: int) -> list[str]:
    return [(through + timedelta(days=first + day)).isoformat() for day in range(WEEK_DAYS)]


def _quantity(sale: StoredSale | None) -> float | None:
    return None if sale is None else sale["quantity"]
