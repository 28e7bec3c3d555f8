"""Erasing a tenant, and what remains of it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from services.training.deps import Held, OperatorOnly, Resources
from services.training.spool.spool import HeldSpool, Spool
from services.training.tables import Erasure
from services.training.tenants import store
from services.training.tenants.erased_rows import count_rows
from services.training.tenants.erasure import Eraser, begin, count_details, read_erasure, ring
from services.training.tenants.schemas import ErasureReceipt
from shared.artifacts import StoreUnavailable
from shared.database import tenant_transaction
from shared.errors import Problem, not_found

router = APIRouter(tags=["tenants"])


@router.delete("/tenants/{tenant_id}", dependencies=[OperatorOnly])
async def erase_tenant(
    tenant_id: UUID,
    held: Held,
    spool: HeldSpool,
    dry_run: Annotated[bool, Query(description="count, and erase nothing")] = False,
) -> ErasureReceipt:
    """Erase a tenant's rows, keys, artifacts and what of it waits on a disk, look whether anything
    is left, and say how much it was. From its beginning on the tenant's keys are refused; one that
    broke off goes on by itself, or when it is asked for again."""
    if dry_run:
        return await _counted(held, spool, tenant_id)
    async with tenant_transaction(held.sessions, tenant_id) as session:
        if not await begin(session, tenant_id):
            raise not_found("tenant", tenant_id)
    ring(held, tenant_id)
    try:
        await Eraser(held, spool).erase(tenant_id)
    except StoreUnavailable as error:
        raise _store_unavailable() from error
    return await get_erasure(tenant_id, held)


@router.get("/tenants/{tenant_id}/erasure", dependencies=[OperatorOnly])
async def get_erasure(tenant_id: UUID, held: Held) -> ErasureReceipt:
    """The receipt of a tenant that was erased, or is being."""
    async with tenant_transaction(held.sessions, tenant_id) as session:
        receipt = await read_erasure(session)
    if receipt is None:
        raise not_found("erasure", tenant_id)
    return _shown(receipt)


async def _counted(held: Resources, spool: Spool, tenant_id: UUID) -> ErasureReceipt:
    async with tenant_transaction(held.sessions, tenant_id) as session:
        if await store.read_tenant(session) is None:
            raise not_found("tenant", tenant_id)
        rows, details = await count_rows(session), await count_details(session)
    try:
        artifacts = await held.artifacts.count(str(tenant_id))
    except StoreUnavailable as error:
        raise _store_unavailable() from error
    return ErasureReceipt(
        tenant_id=tenant_id,
        dry_run=True,
        rows=rows,
        audit_entries=details,
        artifacts=artifacts,
        spooled=await spool.count(tenant_id),
    )


def _shown(receipt: Erasure) -> ErasureReceipt:
    finished = receipt.finished_at is not None
    return ErasureReceipt(
        tenant_id=receipt.tenant_id,
        dry_run=False,
        rows=receipt.rows,
        audit_entries=receipt.audit_entries,
        artifacts=receipt.artifacts,
        spooled=receipt.spooled,
        asked_at=receipt.asked_at,
        erased_at=receipt.finished_at,
        verified=finished and not receipt.remaining,
        remaining=receipt.remaining,
        digest=receipt.digest,
    )


def _store_unavailable() -> Problem:
    return Problem(
        503,
        "model_store_unavailable",
        "the model store does not answer: the erasure has begun and goes on by itself, or when it "
        "is asked for again",
        headers={"Retry-After": "30"},
    )
