"""Batches made to measure, and time to look at them."""

import asyncio
import datetime as dt
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

from fastapi import FastAPI

from services.training.spool.batch import Batch, Header
from services.training.spool.spool import Spool
from services.training.spool.turn import turn


def batch_of(tenant_id: UUID, *rows: dict[str, Any], kind: str = "sales") -> Batch:
    header = Header(
        receipt_id=uuid4(),
        tenant_id=tenant_id,
        kind=kind,
        media_type="application/json",
        received_at=dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC),
        rows=len(rows),
    )
    return Batch(header, json.dumps({"rows": rows}).encode())


@asynccontextmanager
async def nobody_replays(app: FastAPI) -> AsyncIterator[Spool]:
    """As while another process of the host is about to."""
    spool: Spool = app.state.spool
    path = spool.shelf.root / "replaying"
    while True:
        with turn(path, wait=False) as ours:
            if ours:
                yield spool
                return
        await asyncio.sleep(0.01)
