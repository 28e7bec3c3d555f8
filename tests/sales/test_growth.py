"""Imports count what they make known and what they correct."""

from collections import Counter
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from services.training.tables import Sale, Series, SeriesGrowth
from shared.database import Sessions, tenant_transaction
from tests.conftest import Tenant

Known = dict[tuple[str, int], float | None]

products = st.sampled_from(["rye", "bun", "roll"])
days = st.integers(0, 5)
quantities = st.one_of(st.none(), st.integers(0, 2).map(float))
imports = st.lists(st.dictionaries(st.tuples(products, days), quantities, min_size=1), max_size=5)


async def growth_of(sessions: Sessions, tenant: Tenant) -> dict[str, tuple[int, int]]:
    query = select(Series.product, SeriesGrowth.known_days, SeriesGrowth.corrected_days).join(
        SeriesGrowth, SeriesGrowth.series_id == Series.id
    )
    async with tenant_transaction(sessions, tenant.id) as session:
        return {row[0]: (row[1], row[2]) for row in await session.execute(query)}


def row(product: str, day: int, quantity: float | None) -> dict[str, Any]:
    return {"date": f"2026-03-{day + 1:02}", "product": product, "quantity": quantity}


@given(imports)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_days_made_known_and_corrected_are_counted(
    tenant: Tenant, sessions: Sessions, batches: list[Known]
) -> None:
    before = await growth_of(sessions, tenant)
    known: Known = await known_of(sessions, tenant)
    grown: Counter[str] = Counter()
    corrected: Counter[str] = Counter()
    for batch in batches:
        rows = [row(*key, quantity) for key, quantity in batch.items()]
        sent = await tenant.client.post("/api/v1/sales", json={"rows": rows})
        assert sent.status_code == 200, sent.text
        for (product, day), quantity in batch.items():
            old = known.get((product, day))
            grown[product] += old is None and quantity is not None
            corrected[product] += old is not None and quantity != old
        known |= batch
    after = await growth_of(sessions, tenant)
    for product in ("rye", "bun", "roll"):
        had = before.get(product, (0, 0))
        expected = (had[0] + grown[product], had[1] + corrected[product])
        assert after.get(product, (0, 0)) == expected


async def known_of(sessions: Sessions, tenant: Tenant) -> Known:
    query = select(Series.product, Sale.date, Sale.quantity).join(
        Series, Series.id == Sale.series_id
    )
    async with tenant_transaction(sessions, tenant.id) as session:
        return {(row[0], row[1].day - 1): row[2] for row in await session.execute(query)}
