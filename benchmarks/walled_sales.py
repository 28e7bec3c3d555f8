"""Many tenants' sales and forecasts in one database, and what the product asks of them most."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid4

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from services.training.forecasts.ladder import best_model, model_answer
from services.training.models.store import find_series
from services.training.sales.stored_days import read_stored_days

BATCH: Final = 40
"""Series that a training job's snapshot reads at once."""

LOCATION: Final = "main"

TENANT: Final = """
INSERT INTO tenants (tenant_id, name, slug, country, timezone, plan)
VALUES ($1, 'a bakery', $2, 'DE', 'Europe/Berlin', 'standard')
"""
CATALOGUE: Final = """
WITH placed AS (
  INSERT INTO locations (tenant_id, location, name) VALUES ($1, 'main', 'Main')
), offered AS (
  INSERT INTO products (tenant_id, product)
  SELECT $1, 'product ' || n FROM generate_series(0, $2 - 1) AS n
)
INSERT INTO series (tenant_id, location, product)
SELECT $1, 'main', 'product ' || n FROM generate_series(0, $2 - 1) AS n
RETURNING id
"""
SALES: Final = """
INSERT INTO sales (tenant_id, series_id, date, quantity, price, promotion, stockout, open)
SELECT $1, s.id, date '2026-06-30' - n, 20 + (s.id * 7 + n * 13) % 50, 2.5, 0, false, true
FROM generate_series($2 - 1, 0, -1) AS n, unnest($3::bigint[]) AS s (id)
"""
MODELS: Final = """
WITH trained AS (
  INSERT INTO models (
    tenant_id, id, series_id, version, family, params, scores, baseline_scores, stage, confidence,
    detail, fingerprint, sha256, bytes, horizon_days, trained_through
  )
  SELECT $1, gen_random_uuid(), s.id, 1, 'combine', '{}', '{}', '{}', 'mature', 0.9, '{}', '',
    repeat('0', 64), 1, 28, date '2026-06-30'
  FROM unnest($2::bigint[]) AS s (id)
  RETURNING id, series_id
), named AS (
  INSERT INTO model_aliases (tenant_id, series_id, alias, model_id)
  SELECT $1, series_id, 'champion', id FROM trained
)
INSERT INTO forecasts (tenant_id, model_id, date, mean, quantiles, open)
SELECT $1, t.id, date '2026-06-30' + n, 20, array_fill(20.0::float8, ARRAY[13]), true
FROM trained t, generate_series(1, 28) AS n
"""


@dataclass(frozen=True, slots=True)
class Stock:
    """One tenant's series, by id, in the order of its products `product 0`, `product 1`, ..."""

    tenant_id: UUID
    series: tuple[int, ...]


async def stock_tenant(
    admin: "asyncpg.Connection[asyncpg.Record]", series: int, days: int
) -> Stock:
    """A tenant with so many series of so many days, each with a champion and its forecast."""
    tenant_id = uuid4()
    await admin.execute(TENANT, tenant_id, tenant_id.hex)
    ids = [row["id"] for row in await admin.fetch(CATALOGUE, tenant_id, series)]
    await admin.execute(SALES, tenant_id, days, ids)
    await admin.execute(MODELS, tenant_id, ids)
    return Stock(tenant_id, tuple(ids))


async def read_history(session: AsyncSession, stock: Stock, nth: int) -> int:
    """All days of one series, as the export and the baseline read them; how many there were."""
    found = await read_stored_days(session, [stock.series[nth]])
    return sum(len(stored.day) for stored in found.values())


async def read_snapshot(session: AsyncSession, stock: Stock, nth: int) -> int:
    """All days of a batch of series, as a training job's snapshot reads them."""
    batch = [stock.series[(nth + n) % len(stock.series)] for n in range(BATCH)]
    found = await read_stored_days(session, batch)
    return sum(len(stored.day) for stored in found.values())


async def read_forecast(session: AsyncSession, stock: Stock, nth: int) -> int:
    """The champion's forecast of one product, as `GET /forecasts` reads it."""
    series_id = await find_series(session, f"product {nth}", LOCATION)
    assert series_id is not None
    level, model, reason = await best_model(session, series_id)
    assert model is not None
    answer = await model_answer(session, level, model, reason)
    session.expunge_all()  # read it again the next time
    return len(answer.days)


Asking = Callable[[AsyncSession, Stock, int], Awaitable[int]]
ASKED: Final[Mapping[str, Asking]] = {
    "history": read_history,
    "snapshot": read_snapshot,
    "forecast": read_forecast,
}
