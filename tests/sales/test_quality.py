"""GET /sales/quality: findings about the rows as they are stored."""

from datetime import date, timedelta
from typing import Any

from tests.conftest import Tenant

BASE = "/api/v1"


async def load(tenant: Tenant) -> None:
    first = date(2026, 1, 1)
    rows: list[dict[str, Any]] = [
        {"date": (first + timedelta(days=at)).isoformat(), "product": "rye", "quantity": at % 7}
        for at in range(100)
        if at not in (10, 11, 12)
    ]
    rows[5]["quantity"] = -4
    rows.append({"date": "2026-01-11", "product": "roll", "quantity": 2})
    answer = await tenant.client.post(f"{BASE}/sales", json={"rows": rows})
    assert answer.status_code == 200


async def findings(tenant: Tenant, **query: str) -> list[dict[str, Any]]:
    answer = await tenant.client.get(f"{BASE}/sales/quality", params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_findings_name_series_days_and_the_way_out(tenant: Tenant) -> None:
    await load(tenant)
    found = {(item["product"], item["code"]): item for item in await findings(tenant)}
    negative = found["rye", "negative_quantity"]
    assert (negative["count"], negative["first"], negative["severity"]) == (
        1,
        "2026-01-06",
        "warning",
    )
    gap = found["rye", "gap_read_as_zero"]
    assert (gap["count"], gap["first"], gap["last"]) == (1, "2026-01-11", "2026-01-11")
    assert found["rye", "gap_unknown"]["count"] == 2
    assert found["roll", "too_short"]["severity"] == "refusal"
    assert found[None, "few_products"]["count"] == 2
    assert all(item["message"] and item["fix"] for item in found.values())


async def test_the_gravest_come_first(tenant: Tenant) -> None:
    await load(tenant)
    order = [item["severity"] for item in await findings(tenant)]
    assert order == sorted(order, key=["refusal", "warning", "info"].index)


async def test_a_filter_leaves_the_series_asked_for(tenant: Tenant) -> None:
    await load(tenant)
    assert {item["product"] for item in await findings(tenant, product="roll")} == {"roll"}
    assert await findings(tenant, location="nowhere") == []
