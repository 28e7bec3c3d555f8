"""Locations, products and events: put, listed page by page, never a 500."""

import base64
import json
from typing import Any

import pytest

from tests.conftest import Tenant

BASE = "/api/v1"
PLACE = {"name": "Hafen", "latitude": 54.3, "longitude": 10.1}


async def test_a_put_replaces_what_was_known(tenant: Tenant) -> None:
    put, path = tenant.client.put, f"{BASE}/products/rye"
    first = await put(path, json={"price": 2, "unit_cost": 0.5, "shelf_life_days": 1})
    assert (first.status_code, first.json()["unit_cost"]) == (200, 0.5)
    second = (await put(path, json={"price": 3})).json()
    assert (second["price"], second["unit_cost"]) == (3, None)
    assert second["created_at"] == first.json()["created_at"]


async def test_a_tenant_starts_with_one_location_and_sales_make_the_others(tenant: Tenant) -> None:
    row = {"date": "2026-03-01", "product": "rye/50", "quantity": 1, "location": "süd"}
    await tenant.client.post(f"{BASE}/sales", json={"rows": [row]})
    locations = (await tenant.client.get(f"{BASE}/locations")).json()["items"]
    assert [item["location"] for item in locations] == ["main", "süd"]
    answer = await tenant.client.put(f"{BASE}/products/rye%2F50", json={"unit": "loaf"})
    assert answer.json()["product"] == "rye/50"
    products = (await tenant.client.get(f"{BASE}/products")).json()["items"]
    assert [(item["product"], item["unit"]) for item in products] == [("rye/50", "loaf")]


async def test_pages_hold_every_product_once(tenant: Tenant) -> None:
    names = sorted(f"p{at:02}" for at in range(7))
    rows = [{"date": "2026-03-01", "product": name, "quantity": 1} for name in names]
    await tenant.client.post(f"{BASE}/sales", json={"rows": rows})
    found, cursor = [], None
    while True:
        query = {"limit": "3"} | ({"cursor": cursor} if cursor else {})
        page = (await tenant.client.get(f"{BASE}/products", params=query)).json()
        found += [item["product"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == names


@pytest.mark.parametrize("letter", ["a", "ß", "麦", "🥐", '"'])
async def test_pages_go_on_after_the_longest_names(tenant: Tenant, letter: str) -> None:
    names = [letter * 199 + end for end in "ab"]
    rows = [{"date": "2026-03-01", "product": name, "quantity": 1} for name in names]
    assert (await tenant.client.post(f"{BASE}/sales", json={"rows": rows})).is_success
    page = (await tenant.client.get(f"{BASE}/products", params={"limit": 1})).json()
    query = {"cursor": page["next_cursor"]}
    after = await tenant.client.get(f"{BASE}/products", params=query)
    assert [item["product"] for item in after.json()["items"]] == names[1:]


@pytest.mark.parametrize("listed", ["locations", "products"])
@pytest.mark.parametrize("name", ["a\0b", "\ud800"])
async def test_a_cursor_that_holds_no_text_is_refused(
    tenant: Tenant, listed: str, name: str
) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps([name]).encode()).decode()
    answer = await tenant.client.get(f"{BASE}/{listed}", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "bad_cursor")


BAD: tuple[tuple[str, dict[str, Any]], ...] = (
    ("products/rye", {"price": -1}),
    ("products/rye", {"price": "NaN"}),
    ("products/rye", {"prise": 1}),
    ("products/rye", {"min_order": 3, "max_order": 2}),
    ("products/rye", {"batch_size": 0}),
    ("products/rye", {"name": "a\0"}),
    ("products/a%00b", {}),
    ("products/%20", {}),
    (f"products/{'x' * 201}", {}),
    ("locations/main", {"name": "x"}),
    ("locations/main", PLACE | {"latitude": 91}),
    ("locations/main", PLACE | {"timezone": "Mars/Olympus"}),
    ("locations/main", PLACE | {"country": "XX"}),
    ("locations/main", PLACE | {"country": "DE", "subdivision": "ZZ"}),
    ("locations/main", PLACE | {"subdivision": "ZZ"}),
    ("events/fair", {"name": "Fair", "dates": []}),
    ("events/fair", {"name": "Fair", "dates": ["2026-13-01"]}),
    ("events/fair", {"name": "Fair", "dates": ["2026-06-01"], "window_before": -1}),
)


async def test_bad_input_is_a_422(tenant: Tenant) -> None:
    for path, body in BAD:
        answer = await tenant.client.put(f"{BASE}/{path}", json=body)
        assert answer.status_code == 422, (path, body, answer.text)
        assert answer.json()["errors"], (path, body)


async def test_a_subdivision_without_a_country_is_one_of_the_tenants_country(
    tenant: Tenant,
) -> None:
    answer = await tenant.client.put(f"{BASE}/locations/main", json=PLACE | {"subdivision": "BY"})
    assert answer.json() == PLACE | {
        "location": "main", "timezone": None, "country": None, "subdivision": "BY",
    }  # fmt: skip


async def test_an_event_is_kept_with_its_days_in_order(tenant: Tenant) -> None:
    body = {"name": "Fair", "dates": ["2026-06-02", "2026-06-01", "2026-06-02"], "window_after": 1}
    answer = await tenant.client.put(f"{BASE}/events/fair", json=body)
    assert answer.json() == {
        "id": "fair",
        "name": "Fair",
        "dates": ["2026-06-01", "2026-06-02"],
        "locations": None,
        "window_before": 0,
        "window_after": 1,
    }
