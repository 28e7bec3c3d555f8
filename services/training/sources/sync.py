"""One sync, from taking hold of the source to the record of how it ended."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import structlog

from services.training.sources import store, syncs
from services.training.sources.connected import read_connected
from services.training.sources.faults import FAULTS, SourceFault, told
from services.training.sources.kinds import UNCONNECTED, Kind, SourceName
from services.training.sources.pull import pull
from services.training.sources.run import Run, Supply
from services.training.sources.schemas import Cause, SyncOut, SyncStatus
from shared.database import tenant_transaction

LOOK_SECONDS = 0.5

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Synced:
    """How a sync ended. With an `error` less was read than there is, and what was read is kept;
    `sync_id` is None where there is nothing to pull."""

    source: SourceName
    kind: Kind
    sync_id: UUID | None
    rows: int = 0
    warnings: tuple[dict[str, Any], ...] = ()
    error: dict[str, Any] | None = None


async def sync_source(
    supply: Supply,
    tenant_id: UUID,
    source: SourceName,
    deadline: float,
    cause: Cause,
    *,
    sync_id: UUID | None = None,
    takeover: bool = False,
) -> Synced:
    """Pull what is new at the source until `deadline` (by `time.monotonic`).

    Never raises for what an upstream does or says: that is `error`, as it is in the record, by its
    code. `sync_id` is of a record that waits to begin, or of one whose worker died: then
    `takeover`. A source of which nothing is to be pulled is answered at once.
    """
    async with tenant_transaction(supply.sessions, tenant_id) as session:
        kept = await store.read_source(session, source)
        kind = Kind(kept.kind)
        if kind in UNCONNECTED:
            return Synced(source, kind, None)
        if sync_id is None:
            sync_id = uuid4()
            await syncs.add_sync(session, tenant_id, sync_id, kept, cause)
        elif (record := await syncs.read_sync(session, source, sync_id)) is None:
            await syncs.add_sync(session, tenant_id, sync_id, kept, cause)
        elif SyncStatus(record.status) not in (SyncStatus.QUEUED, SyncStatus.RUNNING):
            return synced(SyncOut.model_validate(record))
    with structlog.contextvars.bound_contextvars(source=source.value, sync_id=str(sync_id)):
        return await _run(_Begun(supply, tenant_id, source, sync_id, cause), deadline, takeover)


@dataclass(frozen=True, slots=True)
class _Begun:
    """A sync that has a record, and who would hold its source."""

    supply: Supply
    tenant_id: UUID
    source: SourceName
    sync_id: UUID
    cause: Cause
    holder: UUID = field(default_factory=uuid4)


async def _run(begun: _Begun, deadline: float, takeover: bool) -> Synced:
    run: Run | None = None
    try:
        run = await _take(begun, deadline, takeover)
        await pull(run)
    except FAULTS as fault:
        return await _end(begun, run, told(fault))
    except asyncio.CancelledError:
        await asyncio.shield(_leave(begun))
        raise
    return await _end(begun, run, None)


async def _take(begun: _Begun, deadline: float, takeover: bool) -> Run:
    """Hold the source, waiting for whoever holds it now."""
    while True:
        async with tenant_transaction(begun.supply.sessions, begun.tenant_id) as session:
            kept = await store.hold(session, begun.source, begun.holder, takeover=takeover)
            if kept is not None:
                await syncs.begin_sync(session, begun.sync_id)
                connected = await read_connected(session, kept, begun.supply)
                return Run(
                    supply=begun.supply,
                    tenant_id=begun.tenant_id,
                    sync_id=begun.sync_id,
                    holder=begun.holder,
                    deadline=deadline,
                    now=begun.supply.clock(),
                    connected=connected,
                    state=dict(kept.state),
                )
        if time.monotonic() + LOOK_SECONDS >= deadline:
            raise SourceFault("already_syncing", "another sync reads this source, and goes on")
        await asyncio.sleep(LOOK_SECONDS)


async def _leave(begun: _Begun) -> None:
    """Let the source go. A job's own sync ends with it; another is taken up by a worker again."""
    async with tenant_transaction(begun.supply.sessions, begun.tenant_id) as session:
        await store.let_go(session, begun.source, begun.holder, succeeded=False)
        if begun.cause is Cause.JOB:
            error = {"code": "interrupted", "message": "the job that asked for it was stopped"}
            await syncs.end_sync(session, begun.sync_id, [], error)


async def _end(begun: _Begun, run: Run | None, error: dict[str, Any] | None) -> Synced:
    warnings = [] if run is None else run.warnings
    async with tenant_transaction(begun.supply.sessions, begun.tenant_id) as session:
        await store.let_go(session, begun.source, begun.holder, succeeded=error is None)
        await syncs.end_sync(session, begun.sync_id, warnings, error)
        record = await syncs.read_sync(session, begun.source, begun.sync_id)
    if record is None:  # the tenant was erased meanwhile
        return Synced(begun.source, Kind.NONE, None)
    ended = synced(SyncOut.model_validate(record))
    if error is None:
        log.info("source_synced", rows=ended.rows, pages=record.pages)
    else:
        log.warning("source_sync_failed", code=error["code"], rows=ended.rows)
    return ended


def synced(record: SyncOut) -> Synced:
    return Synced(
        record.source,
        record.kind,
        record.id,
        record.rows,
        tuple(warning.model_dump() for warning in record.warnings),
        None if record.error is None else record.error.model_dump(exclude_none=True),
    )
