"""Pulling a job's sources, before its series are collected.

A source that cannot be pulled ends no job by itself: what is stored of it serves, else what is
usual, else nothing, and the job and its models say which. Only sales that are too old to train on
are refused, series by series.
"""

import asyncio
import datetime as dt
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from services.training.demand.outcome import Refused
from services.training.demand.series import Series
from services.training.jobs.events import EventType, NewEvent, append
from services.training.jobs.settle import job_transaction
from services.training.jobs.store import read_job, warn
from services.training.jobs.workshop import Workshop
from services.training.queue.task import ClaimedTask
from services.training.sources.beside.basis import Basis, read_basis
from services.training.sources.kinds import UNCONNECTED, Kind, SourceName
from services.training.sources.schemas import OPEN, Cause, SyncOut
from services.training.sources.store import read_sources
from services.training.sources.sync import Synced, sync_source, synced
from services.training.sources.syncs import last_syncs
from services.training.tables import Source
from shared.database import tenant_transaction

SALES_STALE: Final = "sales_stale"
PART_FOR_WHAT_IS_STORED: Final = 0.25
STANDS_IN: Final = {
    Basis.STORED: "what is stored serves",
    Basis.USUAL: "what is usual takes its place",
    Basis.NONE: "its place is empty",
}


@dataclass(frozen=True, slots=True)
class Pulled:
    """How the tenant's sources stood when the job's series were collected.

    `degraded`: of each that could not be pulled, what was wrong and since when nothing came of it.
    `fresh_from`: what of a series was sold on that day or later is young enough to train on; None
    where sales were pulled lately, or are pushed.
    """

    degraded: Mapping[SourceName, dict[str, Any]] = field(default_factory=dict)
    fresh_from: dt.date | None = None

    def told(self) -> list[dict[str, Any]]:
        """As the models that come of it keep it."""
        return list(self.degraded.values())

    def refusal(self, series: Series) -> Refused | None:
        """Why it is not trained on the sales that are stored; None where they are fresh enough."""
        through = series.data_through.date()
        if self.fresh_from is None or through >= self.fresh_from:
            return None
        away = self.degraded[SourceName.SALES]
        return Refused(
            SALES_STALE,
            f"the sales source is away ({away['code']}: {away['message']}) and what is stored of "
            f"the series ends on {through}, before {self.fresh_from}: train again once it is back",
        )


ALL_WELL: Final = Pulled()


async def pull_sources(shop: Workshop, task: ClaimedTask) -> Pulled:
    """Pull what the tenant has connected, all at once, within the time that a job gives to this;
    once a job, however often its preparation is begun."""
    sources, ended = await _to_pull(shop, task)
    if not sources:
        return await _found(shop, task, ended)
    await _tell(shop, task, [_started(SourceName(source.source)) for source in sources])
    pulled = await asyncio.gather(*(_pull(shop, task, source) for source in sources))
    found = await _found(shop, task, [*ended, *pulled])
    events = [
        _degraded(found.degraded[each.source]) if each.error else _finished(each) for each in pulled
    ]
    await _tell(shop, task, events, list(found.degraded.values()))
    return found


async def _pull(shop: Workshop, task: ClaimedTask, source: Source) -> Synced:
    name = SourceName(source.source)
    seconds = patience(name, source.synced_at, shop.settings.collect_timeout_seconds)
    deadline = time.monotonic() + seconds
    return await sync_source(shop.supply, task.tenant_id, name, deadline, Cause.JOB)


def patience(name: SourceName, synced_at: dt.datetime | None, most: float) -> float:
    """Seconds that a job waits for a source: for sales, and for what was never pulled, all that it
    has; a part of it where what was pulled before serves nearly as well."""
    may_do_without = name is not SourceName.SALES and synced_at is not None
    return most * PART_FOR_WHAT_IS_STORED if may_do_without else most


async def _to_pull(shop: Workshop, task: ClaimedTask) -> tuple[list[Source], list[Synced]]:
    """The connected sources not pulled since the job was started; how the others were pulled."""
    async with tenant_transaction(shop.sessions, task.tenant_id) as session:
        sources, last = await read_sources(session), await last_syncs(session)
        job = await read_job(session, task.group_id)
    assert job is not None, "a task's job is deleted only together with the task"
    assert job.started_at is not None, "it was started just now"
    to_pull, ended = [], []
    for name, source in sources.items():
        if Kind(source.kind) in UNCONNECTED:
            continue
        sync = last.get(name)
        if sync is None or sync.created_at < job.started_at or sync.status in OPEN:
            to_pull.append(source)
        else:
            ended.append(synced(SyncOut.model_validate(sync)))
    return to_pull, ended


async def _found(shop: Workshop, task: ClaimedTask, ended: Sequence[Synced]) -> Pulled:
    """What the job is to be told of how these ended."""
    failed = [(each.source, each.error) for each in ended if each.error is not None]
    if not failed:
        return ALL_WELL
    async with tenant_transaction(shop.sessions, task.tenant_id) as session:
        sources = await read_sources(session)
        today = shop.supply.clock().date()
        basis = {name: await read_basis(session, name, today) for name, _ in failed}
    since = {name: source.synced_at for name, source in sources.items()}
    degraded = {name: _degradation(name, error, since[name], basis[name]) for name, error in failed}
    if SourceName.SALES not in degraded:
        return Pulled(degraded)
    oldest = shop.supply.clock() - dt.timedelta(days=shop.settings.stale_sales_days)
    last = since[SourceName.SALES]
    return Pulled(degraded, None if last is not None and last >= oldest else oldest.date())


def _degradation(
    source: SourceName, error: dict[str, Any], last: dt.datetime | None, basis: Basis
) -> dict[str, Any]:
    return {
        "source": source.value,
        "code": error["code"],
        "message": error["message"],
        "last_synced_at": None if last is None else last.isoformat(),
        "basis": basis.value,
    }


async def _tell(
    shop: Workshop,
    task: ClaimedTask,
    events: Sequence[NewEvent],
    degraded: Sequence[dict[str, Any]] = (),
) -> None:
    async with job_transaction(shop, task) as session:
        await append(session, task.group_id, events)
        for each in degraded:
            await warn(session, task.group_id, f"{each['source']}_degraded", _words(each))


def _started(name: SourceName) -> NewEvent:
    return NewEvent(EventType.SOURCE_STARTED, f"pulling {name.value}", data={"source": name.value})


def _finished(each: Synced) -> NewEvent:
    data = {"source": each.source.value, "rows": each.rows}
    return NewEvent(EventType.SOURCE_FINISHED, f"{each.source.value}: {each.rows} rows", data=data)


def _degraded(each: dict[str, Any]) -> NewEvent:
    return NewEvent(EventType.SOURCE_DEGRADED, _words(each), data=each)


def _words(each: dict[str, Any]) -> str:
    last = each["last_synced_at"]
    since = "and it was never pulled before" if last is None else f"last pulled at {last}"
    serves = STANDS_IN[Basis(each["basis"])]
    return f"{each['source']} could not be pulled ({each['message']}): {serves}, {since}"
