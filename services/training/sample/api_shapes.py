"""Sales, regressors, products and events of a tenant in the shapes that the API takes.

It serves everything that keeps a tenant in these frames, the sample bakery among it.
"""

from typing import NotRequired, Protocol, TypedDict, cast

import pandas as pd

Row = dict[str, str | int | float]


class ProductBody(TypedDict, total=False):
    """What is known of a product; its name in the catalogue apart."""

    name: str
    category: str
    unit: str
    price: float
    unit_cost: float
    salvage_value: float
    shelf_life_days: int
    batch_size: float


class EventBody(TypedDict):
    name: str
    dates: list[str]
    window_before: int
    window_after: int
    locations: NotRequired[list[str]]


class HasSales(Protocol):
    @property
    def sales(self) -> pd.DataFrame: ...


class HasRegressors(Protocol):
    @property
    def regressors(self) -> pd.DataFrame: ...


class HasProducts(Protocol):
    @property
    def products(self) -> pd.DataFrame: ...


class HasEvents(Protocol):
    @property
    def events(self) -> pd.DataFrame: ...


def sales_csv(tenant: HasSales) -> bytes:
    """The body of `POST /api/v1/sales` as text/csv in UTF-8; what is unknown is left empty."""
    text: str = tenant.sales.to_csv(index=False, date_format="%Y-%m-%d", lineterminator="\n")
    return text.encode()


def regressor_rows(tenant: HasRegressors) -> list[Row]:
    """The rows of `POST /api/v1/regressors`; what is unknown is left out, as are empty rows."""
    keys = {"date", "location", "product"}
    rows = _rows(tenant.regressors)
    return [row for row in rows if row.keys() - keys]


def product_bodies(tenant: HasProducts) -> dict[str, ProductBody]:
    """The bodies of `PUT /api/v1/products/{product}` by product."""
    return {str(row.pop("product")): cast("ProductBody", row) for row in _rows(tenant.products)}


def event_bodies(tenant: HasEvents) -> dict[str, EventBody]:
    """The bodies of `PUT /api/v1/events/{id}` by identifier; without locations: at all of them."""
    bodies: dict[str, EventBody] = {}
    for event, days in tenant.events.groupby("event", sort=True):
        first = days.iloc[0]
        body: EventBody = {
            "name": str(first["name"]),
            "dates": sorted(set(days["date"].dt.strftime("%Y-%m-%d"))),
            "window_before": int(first["window_before"]),
            "window_after": int(first["window_after"]),
        }
        if "location" in days and days["location"].notna().all():
            body["locations"] = sorted(set(days["location"]))
        bodies[str(event)] = body
    return bodies


def _rows(frame: pd.DataFrame) -> list[Row]:
    dated = frame.copy()
    if "date" in dated:
        dated["date"] = dated["date"].dt.strftime("%Y-%m-%d")
    return [
        {str(name): value for name, value in row.items() if not pd.isna(value)}
        for row in dated.to_dict("records")
    ]
