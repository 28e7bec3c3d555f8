"""Sources over HTTP: connected, looked at, pulled."""

import datetime as dt
from functools import partial
from typing import Annotated, Final
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.audit.action import Action
from services.training.audit.record import record
from services.training.deps import (
    Admin,
    Held,
    Ingester,
    Reader,
    Resources,
    Transaction,
    resources_of,
)
from services.training.idempotency import Answer, IdempotencyKey, answer_once
from services.training.identity.caller import Caller
from services.training.queue.runner import QUEUED_CHANNEL
from services.training.queue.task import Priority
from services.training.sources import store, syncs
from services.training.sources.addresses import Hosts, host_and_port
from services.training.sources.ask import ask_for_sync
from services.training.sources.connected import place_of
from services.training.sources.kinds import KINDS, NEEDS_ADDRESS, UNCONNECTED, Kind, SourceName
from services.training.sources.options import OPTIONS
from services.training.sources.out import source_out
from services.training.sources.schemas import (
    Cause,
    SourceBody,
    SourceList,
    SourceOut,
    SyncAsked,
    SyncOut,
)
from services.training.sources.store import Connection
from services.training.tables import Source, SourceSync, Tenant
from shared.database import tenant_transaction
from shared.errors import InputError, Problem, invalid, not_found
from shared.sealed import Sealer

router = APIRouter(tags=["sources"])

NOT_CONNECTED: Final = "there is nothing to pull: connect it with PUT /api/v1/sources/{source}"


def _sealer(request: Request) -> Sealer:
    return Sealer.of(resources_of(request).settings.sealing_key)


HeldSealer = Annotated[Sealer, Depends(_sealer)]


@router.get("/sources")
async def list_sources(caller: Reader, held: Held, session: Transaction) -> SourceList:
    """Where the tenant's sales, weather and traffic come from, and how each does."""
    sources, last = await store.read_sources(session), await syncs.last_syncs(session)
    shown = [
        await _shown(session, caller.tenant_id, sources[name], last.get(name), held)
        for name in SourceName
    ]
    return SourceList(items=shown)


@router.put("/sources/{source}")
async def put_source(
    source: SourceName,
    body: SourceBody,
    caller: Admin,
    held: Held,
    session: Transaction,
    sealer: HeldSealer,
) -> SourceOut:
    """Connect a source in place of how it was; its first sync comes by itself."""
    wanted = _checked(source, body)
    before = await store.read_source(session, source)
    kept = await store.connect(
        session,
        caller.tenant_id,
        Connection(
            source=source,
            kind=body.kind,
            base_url=body.base_url,
            options=wanted,
            credentials=_credentials(caller.tenant_id, source, body, before, sealer),
        ),
        actor=caller.actor,
    )
    last = (await syncs.last_syncs(session)).get(source)
    return await _shown(session, caller.tenant_id, kept, last, held)


@router.post("/sources/{source}/sync", status_code=202, response_model=SyncAsked)
async def sync_source_now(
    source: SourceName,
    request: Request,
    caller: Ingester,
    held: Held,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Pull the source as soon as a worker is free; one that waits already is answered again."""
    async with tenant_transaction(held.sessions, caller.tenant_id) as session:
        ask = partial(_ask_for_sync, session, caller, source)
        answer = await answer_once(session, caller.tenant_id, request, idempotency_key, ask)
    if not answer.again:
        held.bell.ring(QUEUED_CHANNEL)
    return answer.response()


async def _ask_for_sync(session: AsyncSession, caller: Caller, source: SourceName) -> Answer:
    asked = SyncAsked(sync_id=await _sync_asked_for(session, caller, source))
    location = f"/api/v1/sources/{source.value}/syncs/{asked.sync_id}"
    return Answer(202, asked.model_dump(mode="json"), location)


async def _sync_asked_for(session: AsyncSession, caller: Caller, source: SourceName) -> UUID:
    """The one that waits already, or a new one; 409 where there is nothing to pull."""
    kept = await store.read_source(session, source)
    if Kind(kept.kind) in UNCONNECTED:
        raise Problem(409, "nothing_to_sync", NOT_CONNECTED.format(source=source.value))
    waiting = await syncs.queued_sync(session, source)
    if waiting is not None:
        return waiting
    sync_id = uuid4()
    asked = (sync_id, kept, Cause.ASKED, Priority.INTERACTIVE)
    await ask_for_sync(session, caller.tenant_id, *asked)
    told = {"sync_id": str(sync_id)}
    record(session, caller.actor, Action.SYNC_ASKED, f"source:{source.value}", after=told)
    return sync_id


@router.get("/sources/{source}/syncs/{sync_id}")
async def get_sync(source: SourceName, sync_id: UUID, _: Reader, session: Transaction) -> SyncOut:
    found = await syncs.read_sync(session, source, sync_id)
    if found is None:
        raise not_found("sync", sync_id)
    return SyncOut.model_validate(found)


async def _shown(
    session: AsyncSession,
    tenant_id: UUID,
    source: Source,
    last: SourceSync | None,
    held: Resources,
) -> SourceOut:
    tenant = await session.get_one(Tenant, tenant_id)
    return await source_out(
        session,
        source,
        last,
        slug=tenant.slug,
        hosts=Hosts.of(held.settings),
        now=dt.datetime.now(dt.UTC),
    )


def _checked(source: SourceName, body: SourceBody) -> dict[str, object]:
    """The options of the kind, those that hold by default among them."""
    if body.kind not in KINDS[source]:
        known = ", ".join(kind.value for kind in KINDS[source])
        raise invalid("kind", "unknown_kind", f"{source.value} come as one of: {known}")
    if body.kind in NEEDS_ADDRESS and body.base_url is None:
        raise invalid("base_url", "missing", f"{body.kind.value} needs the address of its host")
    try:
        options = OPTIONS[source, body.kind].model_validate(body.options)
    except ValidationError as error:
        faults = [
            InputError(
                field=".".join(["options", *(str(part) for part in each["loc"])]),
                code=str(each["type"]),
                message=str(each["msg"]),
            )
            for each in error.errors()
        ]
        named = ", ".join(str(fault.field) for fault in faults[:5])
        raise Problem(
            422, "invalid_input", f"the options were not understood: see {named}", faults
        ) from None
    return options.model_dump(mode="json")


def _credentials(
    tenant_id: UUID, name: SourceName, body: SourceBody, before: Source, sealer: Sealer
) -> bytes | None:
    """Sealed anew where some came, gone where null came; else those that are kept, unless they
    would then be sent to another host."""
    if body.token is not None:
        return sealer.seal(body.token, place_of(tenant_id, name))
    if "credentials" in body.model_fields_set or before.kind != body.kind.value:
        return None
    return before.credentials if _host(before.base_url) == _host(body.base_url) else None


def _host(base_url: str | None) -> str | None:
    return None if base_url is None else host_and_port(base_url)
