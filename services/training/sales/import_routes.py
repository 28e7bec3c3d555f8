"""Rows in: sales, and what is known about a day."""

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import TypeVar

from fastapi import APIRouter, Request

from services.training import tables
from services.training.deps import Caller, Held, Ingester, Resources
from services.training.sales.body import read_body
from services.training.sales.frame import Frame
from services.training.sales.import_docs import REGRESSOR_BODY, SALES_BODY
from services.training.sales.media import reader_for
from services.training.sales.regressor_rows import check_regressors
from services.training.sales.regressors import store_regressors
from services.training.sales.sales_rows import check_sales
from services.training.sales.schemas import ImportReceipt
from services.training.sales.store import store_sales
from services.training.tenants.limits import Limits, limits_of
from shared.database import tenant_transaction
from shared.errors import Problem

router = APIRouter(tags=["sales"])
Rows = TypeVar("Rows")


@router.post("/sales", openapi_extra=SALES_BODY)
async def post_sales(request: Request, caller: Ingester, held: Held) -> ImportReceipt:
    """Load sales, all or nothing: a row that is sent again replaces the one of its key."""
    limits = await _limits(held, caller)
    rows = await _read_rows(request, limits, check_sales)
    async with tenant_transaction(held.sessions, caller.tenant_id) as session:
        return await store_sales(session, rows, limits.series)


@router.post("/regressors", openapi_extra=REGRESSOR_BODY)
async def post_regressors(request: Request, caller: Ingester, held: Held) -> ImportReceipt:
    """Tell what is known of days, past or to come, all or nothing; an empty cell says nothing."""
    limits = await _limits(held, caller)
    rows = await _read_rows(request, limits, check_regressors)
    async with tenant_transaction(held.sessions, caller.tenant_id) as session:
        return await store_regressors(session, rows)


async def _limits(held: Resources, caller: Caller) -> Limits:
    async with tenant_transaction(held.sessions, caller.tenant_id) as session:
        tenant = await session.get_one(tables.Tenant, caller.tenant_id)
        return limits_of(tenant)


async def _read_rows(
    request: Request, limits: Limits, check: Callable[[Frame, date], Rows]
) -> Rows:
    reader = reader_for(request.headers.get("content-type"))
    body = await read_body(request, limits.body_bytes)

    def read() -> Rows:
        frame = reader(body)
        _require_few_rows(frame, limits.import_rows)
        return check(frame, datetime.now(UTC).date())

    # In a thread, because a large import takes seconds and others want answers meanwhile.
    return await asyncio.to_thread(read)


def _require_few_rows(frame: Frame, most: int) -> None:
    if frame.rows > most:
        raise Problem(
            413,
            "too_many_rows",
            f"{frame.rows} rows are over the limit of {most} an import: send them in several",
        )
