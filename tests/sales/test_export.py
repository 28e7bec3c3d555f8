"""GET /sales: the stored rows in three formats, in order, within the days asked for."""

import csv
import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from tests.conftest import Tenant

SALES = "/api/v1/sales"
NOTHING = {"price": None, "promotion": None, "stockout": None, "open": None}


def rows() -> list[dict[str, Any]]:
    return [
        {"date": f"2026-01-{day:02}", "product": product, "location": location,
         "quantity": day / 2, **NOTHING, "stockout": day % 2}
        for location in ("süd", "main")
        for product in [f'p{at:02}, "x"' for at in range(7)]
        for day in range(1, 5)
    ]  # fmt: skip


async def load(tenant: Tenant) -> list[dict[str, Any]]:
    sent = rows()
    answer = await tenant.client.post(SALES, json={"rows": sent})
    assert answer.json()["inserted"] == len(sent)
    return sorted(sent, key=lambda row: (row["location"] != "main", row["product"], row["date"]))


async def test_json_holds_every_row_in_order(tenant: Tenant) -> None:
    sent = await load(tenant)
    answer = await tenant.client.get(SALES)
    assert answer.json() == {"items": sent, "next_cursor": None}


async def test_csv_holds_what_json_does(tenant: Tenant) -> None:
    sent = await load(tenant)
    answer = await tenant.client.get(SALES, params={"format": "csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    found = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["date"], row["product"], row["location"]) for row in found] == [
        (row["date"], row["product"], row["location"]) for row in sent
    ]
    assert [float(row["quantity"]) for row in found] == [row["quantity"] for row in sent]
    assert {row["price"] for row in found} == {""}


async def test_parquet_holds_what_json_does(tenant: Tenant) -> None:
    sent = await load(tenant)
    answer = await tenant.client.get(SALES, params={"format": "parquet"})
    table = pa.parquet.read_table(pa.BufferReader(answer.content))
    assert [row | {"date": row["date"].isoformat()} for row in table.to_pylist()] == sent


@pytest.mark.parametrize("format", ["json", "csv", "parquet"])
async def test_without_rows_the_answer_is_empty_and_whole(tenant: Tenant, format: str) -> None:
    answer = await tenant.client.get(SALES, params={"format": format, "product": "none"})
    assert answer.status_code == 200
    match format:
        case "json":
            assert answer.json() == {"items": [], "next_cursor": None}
        case "csv":
            assert len(answer.text.splitlines()) == 1
        case _:
            assert pa.parquet.read_table(pa.BufferReader(answer.content)).num_rows == 0


async def test_a_filter_narrows_it(tenant: Tenant) -> None:
    sent = await load(tenant)
    query = {"location": "süd", "product": 'p03, "x"', "from": "2026-01-02", "to": "2026-01-03"}
    found = (await tenant.client.get(SALES, params=query)).json()["items"]
    assert found == [
        row
        for row in sent
        if (row["location"], row["product"]) == ("süd", 'p03, "x"')
        and "2026-01-02" <= row["date"] <= "2026-01-03"
    ]
    assert len(found) == 2


@pytest.mark.parametrize(
    "query",
    [
        {"format": "xml"},
        {"from": "2026-40-01"},
        {"from": "2026-02-01", "to": "2026-01-01"},
        {"product": "a\0"},
    ],
)
async def test_a_bad_query_is_a_422(tenant: Tenant, query: dict[str, str]) -> None:
    assert (await tenant.client.get(SALES, params=query)).status_code == 422
