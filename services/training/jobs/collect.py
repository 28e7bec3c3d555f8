"""Which series a job is about, what is known of their days, and what that is fit for."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.training.demand.config import TrainingConfig
from services.training.demand.findings import Finding, Severity, Subject
from services.training.demand.newcomer import is_newcomer
from services.training.demand.outcome import Refused
from services.training.demand.quality import Limits, inspect_history
from services.training.demand.series import Series
from services.training.jobs.marks import NO_GROWTH, Growth, read_causes, read_growth
from services.training.jobs.pulling import ALL_WELL, Pulled
from services.training.jobs.schemas import TrainingRequest
from services.training.jobs.store import keys_put_in, series_key
from services.training.jobs.workshop import Workshop
from services.training.queue.task import ClaimedTask
from services.training.sales.assemble import SeriesKey, Window
from services.training.sales.snapshot import list_series, read_series
from services.training.sources.beside.surroundings import (
    Surroundings,
    read_surroundings,
    with_surroundings,
)
from shared.database import tenant_transaction

BATCH = 50

Read = Sequence[tuple[SeriesKey, Series | None]]
"""Series with their days; None where no sale is known."""


@dataclass(frozen=True, slots=True)
class Collected:
    """A series of the job with its days, none where no sale is known; what imports had brought by
    then, and why it is trained again, if that is why."""

    key: SeriesKey
    series: Series | None
    growth: Growth
    cause: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Checked:
    """A series, and what there is to say about its data. `stale`: why what is stored of it will
    not do, if so."""

    key: SeriesKey
    series: Series | None
    findings: tuple[Finding, ...]
    growth: Growth
    cause: dict[str, Any] | None = None
    stale: Refused | None = None

    def refusal(self, config: TrainingConfig) -> Refused | None:
        """Why it is not worth training; no reason is that it is too new by itself where a pool
        may know enough."""
        if self.series is None:
            return Refused("no_sales", "no day with a known quantity: send sales")
        if self.stale is not None:
            return self.stale
        for finding in self.findings:
            if finding.severity is Severity.REFUSAL:
                refused = Refused(finding.code.value, f"{finding.message}; {finding.fix}")
                return None if is_newcomer(self.series, config, refused) else refused
        return None


async def collect(
    shop: Workshop, task: ClaimedTask, request: TrainingRequest
) -> AsyncIterator[Sequence[Collected]]:
    """Every series the job asks for that has no task yet, a batch at a time: a short transaction
    each."""
    async with tenant_transaction(shop.sessions, task.tenant_id) as session:
        keys = await list_series(session, request.products, request.locations)
        causes = await read_causes(session, task.group_id)
        # Before any of their days: an import that comes between is then counted as new once more.
        growth = await read_growth(session)
        put_in = await keys_put_in(session, task.group_id)
    keys = [key for key in keys if series_key(key.id) not in put_in]
    if causes:
        keys = [key for key in keys if key.id in causes]
    window = Window(request.training_window_days, request.training_window_rows)
    async for batch in read_in_batches(shop, task, keys, request.horizon_days, window):
        yield [
            Collected(key, series, growth.get(key.id, NO_GROWTH), causes.get(key.id))
            for key, series in batch
        ]


async def read_in_batches(
    shop: Workshop,
    task: ClaimedTask,
    keys: Sequence[SeriesKey],
    horizon_days: int,
    window: Window,
) -> AsyncIterator[Read]:
    """The days of these series of the task's tenant: no transaction is open between batches."""
    for first in range(0, len(keys), BATCH):
        batch = keys[first : first + BATCH]
        async with tenant_transaction(shop.sessions, task.tenant_id) as session:
            found = await read_series(session, batch, horizon_days=horizon_days, window=window)
            around = await read_surroundings(session, found.values())
        beside = await asyncio.to_thread(_laid_beside, found, around)
        yield [(key, beside.get(key.id)) for key in batch]


def _laid_beside(found: Mapping[int, Series], around: Surroundings) -> dict[int, Series]:
    return {each: with_surroundings(series, around) for each, series in found.items()}


def validate(
    shop: Workshop, collected: Sequence[Collected], pulled: Pulled = ALL_WELL
) -> list[Checked]:
    """What the data of each series is fit for."""
    limits = Limits(shop.settings.min_training_data_days, intermittent_allowed=True)
    return [
        Checked(
            item.key,
            item.series,
            _findings(item, limits),
            item.growth,
            item.cause,
            None if item.series is None else pulled.refusal(item.series),
        )
        for item in collected
    ]


def _findings(item: Collected, limits: Limits) -> tuple[Finding, ...]:
    if item.series is None:
        return ()
    subject = Subject(item.key.product, item.key.location)
    return inspect_history(subject, item.series.history, limits)
