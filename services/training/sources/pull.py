"""Which kind pulls which source."""

from collections.abc import Awaitable, Callable
from typing import Final

from services.training.sources.kinds import Kind, SourceName
from services.training.sources.run import Run
from services.training.sources.sales.contract import pull_contract_sales
from services.training.sources.sales.shopify import pull_shopify
from services.training.sources.sales.square import pull_square
from services.training.sources.traffic.contract import pull_contract_traffic
from services.training.sources.traffic.flow import pull_flow
from services.training.sources.weather.contract import pull_contract_weather
from services.training.sources.weather.open_meteo_pull import pull_open_meteo

PULLS: Final[dict[tuple[SourceName, Kind], Callable[[Run], Awaitable[None]]]] = {
    (SourceName.SALES, Kind.HTTP): pull_contract_sales,
    (SourceName.SALES, Kind.SQUARE): pull_square,
    (SourceName.SALES, Kind.SHOPIFY): pull_shopify,
    (SourceName.WEATHER, Kind.OPEN_METEO): pull_open_meteo,
    (SourceName.WEATHER, Kind.HTTP): pull_contract_weather,
    (SourceName.TRAFFIC, Kind.HTTP): pull_contract_traffic,
    (SourceName.TRAFFIC, Kind.FLOW): pull_flow,
}


async def pull(run: Run) -> None:
    """Read what is new, page by page; raises one of `FAULTS` where the source is to blame."""
    await PULLS[run.connected.name, run.connected.kind](run)
