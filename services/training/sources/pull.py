"""Which kind pulls which source."""

from collections.abc import Awaitable, Callable
from typing import Final

from services.training.sources.kinds import Kind, SourceName
from services.training.sources.run import Run
from services.training.sources.sales.contract import pull_contract_sales

PULLS: Final[dict[tuple[SourceName, Kind], Callable[[Run], Awaitable[None]]]] = {
    (SourceName.SALES, Kind.HTTP): pull_contract_sales,
}


async def pull(run: Run) -> None:
    """Read what is new, page by page; raises one of `FAULTS` where the source is to blame."""
    await PULLS[run.connected.name, run.connected.kind](run)
