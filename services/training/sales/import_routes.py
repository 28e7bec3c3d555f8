"""Rows in: sales, and what is known about a day."""

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from uuid import uuid4

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.deps import Held, KnownIngester
from services.training.identity.caller import Caller
from services.training.metering.limits import Limits
from services.training.metering.quotas import require_quota
from services.training.metering.usage import Kind
from services.training.sales.body import read_body
from services.training.sales.frame import Frame
from services.training.sales.import_docs import REGRESSOR_BODY, SALES_BODY
from services.training.sales.known_limits import HeldLimits, limits_for
from services.training.sales.media import reader_for
from services.training.sales.regressor_rows import check_regressors
from services.training.sales.regressors import store_regressors
from services.training.sales.sales_rows import check_sales
from services.training.sales.schemas import ImportReceipt
from services.training.sales.spooled import REGRESSORS, SALES, Rows
from services.training.sales.store import store_sales
from services.training.spool.batch import Batch, Header
from services.training.spool.intake import ACCEPTED, Store, store_or_spool
from services.training.spool.spool import HeldSpool
from shared.errors import Problem

router = APIRouter(tags=["sales"])


@router.post("/sales", response_model=ImportReceipt, responses=ACCEPTED, openapi_extra=SALES_BODY)
async def post_sales(
    request: Request, caller: KnownIngester, held: Held, spool: HeldSpool, known: HeldLimits
) -> ImportReceipt | Response:
    """Load sales, all or nothing: a row that is sent again replaces the one of its key."""
    limits = await limits_for(caller, held, known)
    batch, rows = await _read(request, caller, limits, SALES, check_sales)
    store = partial(store_sales, rows=rows, most_series=limits.series)
    within_quota = _within_quota(limits, rows.received, store)
    return await store_or_spool(held, spool, caller, batch, within_quota)


@router.post(
    "/regressors", response_model=ImportReceipt, responses=ACCEPTED, openapi_extra=REGRESSOR_BODY
)
async def post_regressors(
    request: Request, caller: KnownIngester, held: Held, spool: HeldSpool, known: HeldLimits
) -> ImportReceipt | Response:
    """Tell what is known of days, past or to come, all or nothing; an empty cell says nothing."""
    limits = await limits_for(caller, held, known)
    batch, rows = await _read(request, caller, limits, REGRESSORS, check_regressors)
    store = partial(store_regressors, rows=rows)
    within_quota = _within_quota(limits, rows.received, store)
    return await store_or_spool(held, spool, caller, batch, within_quota)


def _within_quota(
    limits: Limits, received: int, store: Store[ImportReceipt]
) -> Store[ImportReceipt]:
    async def store_within_quota(session: AsyncSession) -> ImportReceipt:
        await require_quota(session, Kind.ROWS, limits.rows_per_day, received)
        return await store(session)

    return store_within_quota


async def _read(
    request: Request,
    caller: Caller,
    limits: Limits,
    kind: str,
    check: Callable[[Frame, date], Rows],
) -> tuple[Batch, Rows]:
    """The request as it would be kept, and its rows, which are wholly checked."""
    media_type = request.headers.get("content-type")
    reader = reader_for(media_type)
    body = await read_body(request, limits.body_bytes)
    now = datetime.now(UTC)

    def read() -> Rows:
        frame = reader(body)
        _require_few_rows(frame, limits.import_rows)
        return check(frame, now.date())

    # In a thread, because a large import takes seconds and others want answers meanwhile.
    rows = await asyncio.to_thread(read)
    header = Header(
        receipt_id=uuid4(),
        tenant_id=caller.tenant_id,
        kind=kind,
        media_type=media_type,
        received_at=now,
        rows=rows.received,
    )
    return Batch(header, body), rows


def _require_few_rows(frame: Frame, most: int) -> None:
    if frame.rows > most:
        raise Problem(
            413,
            "too_many_rows",
            f"{frame.rows} rows are over the limit of {most} an import: send them in several",
        )
