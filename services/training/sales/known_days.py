"""What is known about days beside the sales, and which of several words on a day counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.sales.binary_copy import DATE_EPOCH, Number
from services.training.sales.bulk import copy_out
from services.training.sales.days import Ints
from services.training.sales.numeric import Floats
from services.training.sales.runs import runs_of

ANYWHERE = ""
OF_PLACES = (
    "tenant_id = app_tenant() AND location = ANY ({locations}) AND product = ANY ({products})"
)
NAMES = text(
    "SELECT DISTINCT jsonb_object_keys(values) AS name FROM regressor_days WHERE "  # noqa: S608 - ours
    + OF_PLACES.format(locations="CAST(:locations AS text[])", products="CAST(:products AS text[])")
    + " ORDER BY name"
)


@dataclass(frozen=True, slots=True)
class Span:
    """The first day of a history, its last (`data_through`), and the last day of the plan, since
    1970-01-01."""

    first: int
    through: int
    last: int

    @property
    def days(self) -> Ints:
        return np.arange(self.first, self.last + 1)


@dataclass(frozen=True, slots=True)
class KnownDays:
    """Values by (location, product), '' for all of them: the days, then one array a name."""

    names: Sequence[str]
    layers: Mapping[tuple[str, str], tuple[Ints, Mapping[str, Floats]]]

    def over(self, span: Span, location: str, product: str) -> dict[str, Floats]:
        """Every name over `span.days`; of several values that of the most specific place, where
        the product counts for more than the location."""
        found = {name: np.full(len(span.days), np.nan) for name in self.names}
        for place in (
            (ANYWHERE, ANYWHERE),
            (location, ANYWHERE),
            (ANYWHERE, product),
            (location, product),
        ):
            if place in self.layers:
                self._lay(place, span, found)
        return {name: values for name, values in found.items() if not np.isnan(values).all()}

    def _lay(self, place: tuple[str, str], span: Span, found: dict[str, Floats]) -> None:
        days, layer = self.layers[place]
        start, end = np.searchsorted(days, [span.first, span.last + 1])
        at = days[start:end] - span.first
        for name, values in layer.items():
            told = values[start:end]
            found[name][at] = np.where(np.isnan(told), found[name][at], told)


async def read_known_days(
    session: AsyncSession, locations: Sequence[str], products: Sequence[str]
) -> KnownDays:
    """All that is known about days of these locations and products, and of all of them."""
    places = {
        "locations": [ANYWHERE, *dict.fromkeys(locations)],
        "products": [ANYWHERE, *dict.fromkeys(products)],
    }
    names = (await session.scalars(NAMES, places)).all()
    if not names:
        return KnownDays((), {})
    values: dict[str, type[Number]] = {f"value {at}": np.float64 for at in range(len(names))}
    rows = await copy_out(
        session,
        _query(len(names)),
        {"location": np.int64, "product": np.int64, "day": np.int32, **values},
        places["locations"],
        places["products"],
        names,
    )
    columns = {name: rows[f"value {at}"].copy() for at, name in enumerate(names)}
    place = rows["location"] * len(places["products"]) + rows["product"]
    return KnownDays(names, _layers(places, place, rows["day"].astype(np.int64), columns))


def _query(names: int) -> str:
    one = "coalesce((values -> ($3::text[])[{at}])::float8, 'NaN')"
    values = ", ".join(one.format(at=at) for at in range(1, names + 1))
    return (
        f"SELECT l.at - 1, p.at - 1, date, {values} FROM regressor_days "  # noqa: S608 - numbers
        "JOIN unnest($1::text[]) WITH ORDINALITY AS l (location, at) USING (location) "
        "JOIN unnest($2::text[]) WITH ORDINALITY AS p (product, at) USING (product) "
        "WHERE tenant_id = app_tenant() ORDER BY 1, 2, 3"
    )


def _layers(
    places: Mapping[str, list[str]], place: Ints, day: Ints, columns: Mapping[str, Floats]
) -> dict[tuple[str, str], tuple[Ints, Mapping[str, Floats]]]:
    width = len(places["products"])
    return {
        (places["locations"][number // width], places["products"][number % width]): (
            day[run] + DATE_EPOCH,
            {name: values[run] for name, values in columns.items()},
        )
        for number, run in runs_of(place)
    }
