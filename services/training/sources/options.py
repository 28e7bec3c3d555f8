"""What can be wished otherwise of a source, by kind."""

import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from services.training.sources.kinds import Kind, SourceName
from shared.scalars import Day, Flag, Integer, Number
from shared.text import Name

Minutes = Annotated[Integer, Field(ge=5, le=10_080, description="between two syncs")]
Variable = Literal["temp_mean", "temp_min", "temp_max", "precipitation", "wind", "sunshine"]
COLUMN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}\Z")


def _column(name: str) -> str:
    if not COLUMN.match(name):
        raise ValueError("a letter or _, then letters, digits and _, at most 64 together")
    return name


class Options(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    every_minutes: Minutes = 360


class NoOptions(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SalesOptions(Options):
    """`overlap_hours`: what was changed so long before the newest change seen is asked for again,
    because not all that is changed is told at once. `since`: nothing before it is asked for."""

    every_minutes: Minutes = 60
    overlap_hours: Annotated[Number, Field(ge=0, le=168)] = 24
    since: Day | None = None


class ContractOptions(SalesOptions):
    """`regressors`: the fields that are taken beside those of the contract."""

    regressors: Annotated[list[Annotated[str, AfterValidator(_column)]], Field(max_length=50)] = []
    page_size: Annotated[Integer, Field(ge=1, le=1000)] = 1000


class TillOptions(SalesOptions):
    """`day_begins_at`: the hour, in the location's time zone, until which sales count for the day
    before. `product_by`: what names a product."""

    day_begins_at: Annotated[Integer, Field(ge=0, le=12)] = 0


class SquareOptions(TillOptions):
    """`locations`: Morrow's name of each Square location id; only of these orders are read."""

    locations: Annotated[dict[Name, Name], Field(min_length=1, max_length=10)]
    product_by: Literal["name", "id"] = "name"
    page_size: Annotated[Integer, Field(ge=1, le=1000)] = 500


class ShopifyOptions(TillOptions):
    """`locations`: Morrow's name of each retail location's id; orders without one, or of another,
    are of `location`."""

    locations: Annotated[dict[Name, Name], Field(max_length=100)] = {}
    location: Name = "main"
    product_by: Literal["name", "sku", "id"] = "name"
    api_version: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}$")] = "2026-07"
    page_size: Annotated[Integer, Field(ge=1, le=50)] = 20


class WeatherOptions(Options):
    """`variables`: those that become regressors; all are stored."""

    variables: Annotated[list[Variable], Field(max_length=6)] = ["temp_mean", "precipitation"]


class ContractWeatherOptions(WeatherOptions):
    """`hindcast`: the supplier answers `known_at` with what was foreseen then, so the past year's
    forecasts are asked for; one that answers with what came would make every fold clairvoyant."""

    hindcast: Flag = False


class FlowOptions(Options):
    """`path`: where under the address the flow at a point is told."""

    every_minutes: Minutes = 60
    path: Annotated[str, Field(max_length=200, pattern=r"^/[A-Za-z0-9/_.-]*$")] = "/flow"


OPTIONS: Final[dict[tuple[SourceName, Kind], type[BaseModel]]] = {
    (SourceName.SALES, Kind.PUSH): NoOptions,
    (SourceName.SALES, Kind.HTTP): ContractOptions,
    (SourceName.SALES, Kind.SQUARE): SquareOptions,
    (SourceName.SALES, Kind.SHOPIFY): ShopifyOptions,
    (SourceName.WEATHER, Kind.NONE): NoOptions,
    (SourceName.WEATHER, Kind.OPEN_METEO): WeatherOptions,
    (SourceName.WEATHER, Kind.HTTP): ContractWeatherOptions,
    (SourceName.TRAFFIC, Kind.NONE): NoOptions,
    (SourceName.TRAFFIC, Kind.HTTP): Options,
    (SourceName.TRAFFIC, Kind.FLOW): FlowOptions,
}
