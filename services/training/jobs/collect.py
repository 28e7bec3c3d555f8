"""Which series a job is about, what is known of their days, and what that is fit for."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from services.training.demand.config import TrainingConfig
from services.training.demand.findings import Finding, Severity, Subject
from services.training.demand.newcomer import is_newcomer
from services.training.demand.outcome import Refused
from services.training.demand.quality import Limits, inspect_history
from services.training.demand.series import Series
from services.training.jobs.schemas import TrainingRequest
from services.training.jobs.workshop import Workshop
from services.training.queue.task import ClaimedTask
from services.training.sales.assemble import SeriesKey
from services.training.sales.snapshot import list_series, read_series
from shared.database import tenant_transaction

BATCH = 50

Collected = Sequence[tuple[SeriesKey, Series | None]]
"""Series with their days; None where no sale is known."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A series, and what there is to say about its data."""

    key: SeriesKey
    series: Series | None
    findings: tuple[Finding, ...]

    def refusal(self, config: TrainingConfig) -> Refused | None:
        """Why it is not worth training; no reason is that it is too new by itself where a pool
        may know enough."""
        if self.series is None:
            return Refused("no_sales", "no day with a known quantity: send sales")
        for finding in self.findings:
            if finding.severity is Severity.REFUSAL:
                refused = Refused(finding.code.value, f"{finding.message}; {finding.fix}")
                return None if is_newcomer(self.series, config, refused) else refused
        return None


async def collect(
    shop: Workshop, task: ClaimedTask, request: TrainingRequest
) -> AsyncIterator[Collected]:
    """Every series the job asks for, a batch at a time: a short transaction each."""
    async with tenant_transaction(shop.sessions, task.tenant_id) as session:
        keys = await list_series(session, request.products, request.locations)
    async for batch in read_in_batches(
        shop, task, keys, request.horizon_days, request.training_window_days
    ):
        yield batch


async def read_in_batches(
    shop: Workshop,
    task: ClaimedTask,
    keys: Sequence[SeriesKey],
    horizon_days: int,
    window_days: int,
) -> AsyncIterator[Collected]:
    """The days of these series of the task's tenant: no transaction is open between batches."""
    for first in range(0, len(keys), BATCH):
        batch = keys[first : first + BATCH]
        async with tenant_transaction(shop.sessions, task.tenant_id) as session:
            found = await read_series(
                session, batch, horizon_days=horizon_days, window_days=window_days
            )
        yield [(key, found.get(key.id)) for key in batch]


def validate(shop: Workshop, collected: Collected) -> list[Checked]:
    """What the data of each series is fit for."""
    limits = Limits(shop.settings.min_training_data_days, intermittent_allowed=True)
    return [
        Checked(key, series, () if series is None else _inspect(key, series, limits))
        for key, series in collected
    ]


def _inspect(key: SeriesKey, series: Series, limits: Limits) -> tuple[Finding, ...]:
    return inspect_history(Subject(key.product, key.location), series.history, limits)
