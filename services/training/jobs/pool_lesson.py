"""What pools are learnt from: all of the tenant's series, as they are when the learning begins.

They are read, and not stored: nothing is left that somebody would have to collect.
"""

import asyncio
from dataclasses import dataclass
from random import Random

from services.training.demand.pooled.pools import MOST_SERIES
from services.training.jobs.child import POOL_TOO_SMALL, PoolLesson
from services.training.jobs.collect import read_in_batches
from services.training.jobs.kept_pools import Lore
from services.training.jobs.training import config_of
from services.training.jobs.workshop import Workshop
from services.training.queue.task import ClaimedTask, Refused
from services.training.sales.assemble import SeriesKey, Window
from services.training.sales.snapshot import list_series
from shared.database import tenant_transaction


@dataclass(frozen=True, slots=True)
class TenantLesson:
    """The lesson of a child, and what it tells of."""

    lesson: PoolLesson
    lore: Lore


async def read_lesson(shop: Workshop, task: ClaimedTask) -> TenantLesson:
    """At most `MOST_SERIES` of the series with known days: what the worker holds does not grow
    with the tenant. Raises `Refused` where no day of any is known."""
    config = config_of(task.payload["config"])
    window = Window(task.payload["training_window_days"])
    async with tenant_transaction(shop.sessions, task.tenant_id) as session:
        keys = await list_series(session)
    datasets: list[bytes] = []
    through = []
    drawn = _in_order_of_drawing(keys, config.seed)
    async for batch in read_in_batches(shop, task, drawn, config.horizon_days, window):
        known = [series for _, series in batch if series is not None]
        for series in known[: MOST_SERIES - len(datasets)]:
            datasets.append(await asyncio.to_thread(series.to_bytes))
            through.append(series.data_through.date())
        if len(datasets) == MOST_SERIES:
            break
    if not through:
        raise Refused(POOL_TOO_SMALL, "no day of any series is known: send sales")
    return TenantLesson(PoolLesson(tuple(datasets), config), Lore(len(keys), max(through)))


def _in_order_of_drawing(keys: list[SeriesKey], seed: int) -> list[SeriesKey]:
    return Random(seed).sample(keys, len(keys))  # noqa: S311 - a sample, no secret
