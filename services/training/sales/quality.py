"""Findings about a tenant's stored rows."""

import asyncio
from collections.abc import Sequence
from datetime import date
from uuid import UUID

import pandas as pd
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.demand.findings import Finding, Subject, gravest_first
from services.training.demand.quality import Limits, inspect, inspect_catalogue
from services.training.sales.assemble import SeriesKey
from services.training.sales.days import Ints, timestamps
from services.training.sales.snapshot import list_series
from services.training.sales.stored_days import (
    StoredDays,
    read_stored_days,
    trading_days_in_gaps,
)
from shared.database import Sessions, tenant_transaction

BATCH = 100


async def find_quality(
    sessions: Sessions,
    tenant_id: UUID,
    products: Sequence[str] | None,
    locations: Sequence[str] | None,
    limits: Limits,
    today: date,
) -> tuple[Finding, ...]:
    """Everything found about these series, and about the tenant where all of them are asked for."""
    async with tenant_transaction(sessions, tenant_id) as session:
        keys = await list_series(session, products, locations)
    found: list[Finding] = []
    if products is None and locations is None:
        found += inspect_catalogue(len({key.product for key in keys}))
    for first in range(0, len(keys), BATCH):
        batch = keys[first : first + BATCH]
        async with tenant_transaction(sessions, tenant_id) as session:
            read = await _read(session, batch)
        found += await asyncio.to_thread(_inspect, read, limits, today)
    return gravest_first(found)


async def _read(
    session: AsyncSession, keys: Sequence[SeriesKey]
) -> list[tuple[SeriesKey, StoredDays, Ints]]:
    stored = await read_stored_days(session, [key.id for key in keys])
    there = [(key, stored[key.id]) for key in keys if key.id in stored]
    trading = await trading_days_in_gaps(session, [(key.location, days) for key, days in there])
    return [(key, days, trading[key.location]) for key, days in there]


def _inspect(
    read: Sequence[tuple[SeriesKey, StoredDays, Ints]], limits: Limits, today: date
) -> list[Finding]:
    return [
        finding
        for key, stored, trading in read
        for finding in inspect(
            Subject(key.product, key.location),
            pd.DataFrame({"date": timestamps(stored.day), **stored.values}),
            timestamps(trading),
            today,
            limits,
        )
    ]
