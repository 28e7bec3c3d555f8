"""Bodies that no field of a document describes: files, bombs, formulas, forged models."""

import csv
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from services.training.models.repr_digest import repr_digest
from services.training.sales.tabular import MOST_ROWS
from shared.canonical import gzipped, sha256_of, without_nan
from tests.conftest import Tenant
from tests.models.made_models import made_bundle

PARQUET = {"Content-Type": "application/vnd.apache.parquet"}
MEGABYTE = 2**20


def parquet_of(**columns: Any) -> bytes:
    sink = io.BytesIO()
    pa.parquet.write_table(pa.table(columns), sink, compression="zstd")
    return sink.getvalue()


def many(text: str, rows: int = MEGABYTE) -> pa.DictionaryArray:
    """The text in every row, in as many bytes as in one."""
    return pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), rows), [text])


async def refusal_of(tenant: Tenant, body: bytes, **headers: str) -> dict[str, Any]:
    answer = await tenant.client.post("/api/v1/sales", content=body, headers=PARQUET | headers)
    assert answer.status_code in (413, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    return problem


async def test_a_small_file_that_declares_many_rows_is_refused_before_it_is_unpacked(
    tenant: Tenant,
) -> None:
    bomb = parquet_of(date=many("2026-01-01", 50 * MEGABYTE))
    assert len(bomb) < MEGABYTE
    problem = await refusal_of(tenant, bomb)
    assert problem["code"] == "too_many_rows"
    assert f"over the limit of {MOST_ROWS} " in problem["detail"]  # the reader's, not the tenant's


@pytest.mark.parametrize("column", ["product", "quantity", "price"])
async def test_a_long_text_in_each_of_many_rows_is_never_unpacked(
    tenant: Tenant, column: str
) -> None:
    rows = 90_000  # 90 GB, were it unpacked
    cells = {"date": many("2026-01-01", rows), "product": many("a", rows)} | {
        column: many("x" * MEGABYTE, rows)
    }
    problem = await refusal_of(tenant, parquet_of(**cells))
    assert problem["errors"][0]["field"] in (column, "quantity")


async def test_nested_columns_are_refused_by_name(tenant: Tenant) -> None:
    cell: Any = 1
    for _ in range(3):
        cell = [cell]
    problem = await refusal_of(tenant, parquet_of(date=["2026-01-01"], product=[cell]))
    assert [(e["field"], e["code"]) for e in problem["errors"]] == [("product", "nested_column")]


@pytest.mark.parametrize("cut", [4, 8, 100])
async def test_a_file_cut_short_or_changed_anywhere_is_a_422(tenant: Tenant, cut: int) -> None:
    whole = parquet_of(date=["2026-01-01"], product=["a"], quantity=[1.0])
    assert (await refusal_of(tenant, whole[:-cut]))["code"] == "invalid_rows"
    for at in range(4, len(whole), 7):
        changed = bytearray(whole)
        changed[at] ^= 0xFF
        answer = await tenant.client.post("/api/v1/sales", content=bytes(changed), headers=PARQUET)
        assert answer.status_code in (200, 413, 422), answer.text


async def test_what_a_dictionary_holds_is_read_as_the_same_numbers(tenant: Tenant) -> None:
    cells = {"date": ["2026-01-01", "2026-01-02"], "product": ["a", "a"], "quantity": ["1.5", "x"]}
    problem = await refusal_of(tenant, parquet_of(**cells))
    assert [(e["row"], e["field"]) for e in problem["errors"]] == [(2, "quantity")]
    good = parquet_of(**cells | {"quantity": ["1.5", None]})
    assert (await tenant.client.post("/api/v1/sales", content=good, headers=PARQUET)).is_success
    items = (await tenant.client.get("/api/v1/sales")).json()["items"]
    assert [item["quantity"] for item in items] == [1.5, None]


@pytest.mark.parametrize("name", ["=1+1", "@SUM(A1)|cmd", "-2+3", "+1"])
async def test_names_are_no_formulas_in_csv_and_themselves_elsewhere(
    tenant: Tenant, name: str
) -> None:
    days = [f"2026-01-{day:02}" for day in range(1, 32)]
    rows = [{"date": day, "product": name, "quantity": 3} for day in days]
    assert (await tenant.client.post("/api/v1/sales", json={"rows": rows})).is_success
    for path in ("/api/v1/sales", "/api/v1/forecasts/export"):
        table = await tenant.client.get(path, params={"format": "csv"})
        told = {row["product"] for row in csv.DictReader(io.StringIO(table.text))}
        assert told == {f"'{name}"}
        plain = (await tenant.client.get(path, params={"format": "json"})).json()
        assert {item["product"] for item in plain["items"]} == {name}


async def test_twins_of_one_name_are_one_product_however_they_are_sent(tenant: Tenant) -> None:
    composed, decomposed = "Br\u00f6tchen", "Bro\u0308tchen"
    for day, name in (("2026-01-01", composed), ("2026-01-02", decomposed)):
        rows = {"rows": [{"date": day, "product": name, "quantity": 1}]}
        assert (await tenant.client.post("/api/v1/sales", json=rows)).is_success
    lines = f"date,product,quantity\n2026-01-03,{decomposed},1\n".encode()
    headers = {"Content-Type": "text/csv"}
    assert (await tenant.client.post("/api/v1/sales", content=lines, headers=headers)).is_success
    assert (await tenant.client.put(f"/api/v1/products/{decomposed}", json={})).is_success
    products = (await tenant.client.get("/api/v1/products")).json()["items"]
    assert [item["product"] for item in products] == [composed]
    for name in (composed, decomposed):
        found = await tenant.client.get("/api/v1/sales", params={"product": name})
        assert len(found.json()["items"]) == 3


async def test_ndjson_needs_no_end_of_line_and_marks_of_order_are_passed_over(
    tenant: Tenant,
) -> None:
    line = b'\xef\xbb\xbf{"date": "2026-01-01", "product": "a", "quantity": 1}'
    headers = {"Content-Type": "application/x-ndjson"}
    answer = await tenant.client.post("/api/v1/sales", content=line, headers=headers)
    assert answer.json()["inserted"] == 1


async def in_pieces(body: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(body), 1000):
        yield body[at : at + 1000]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (json.dumps({f"k{number}": 1 for number in range(70_000)}), "too_many_members"),
        (json.dumps({"name": [{}] * 100_000}), "too_many_members"),
        ('{"name": ' + "[" * 40 + "]" * 40 + "}", "too_deep"),
        ('{"name": "Shop", "name": "Till"}', "duplicate_key"),
    ],
    ids=["keys", "objects", "depth", "twice"],
)
@pytest.mark.parametrize("media_type", ["application/json", "Application/X+JSON; charset=utf-8"])
async def test_what_no_body_is_like_is_refused_as_a_whole(
    tenant: Tenant, body: str, code: str, media_type: str
) -> None:
    headers = {"Content-Type": media_type}
    for content in (body.encode(), in_pieces(body.encode())):
        answer = await tenant.client.put("/api/v1/locations/shop", content=content, headers=headers)
        assert answer.status_code == 422, answer.text
        assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [("body", code)]


async def test_an_import_names_the_key_and_the_row_that_has_it_twice(tenant: Tenant) -> None:
    many = ", ".join(f'"k{number}": 1' for number in range(100_000))
    lines = f'{{"date": "2026-01-01"}}\n{{{many}, "k99999": 2}}'
    answer = await tenant.client.post(
        "/api/v1/sales", content=lines, headers={"Content-Type": "application/x-ndjson"}
    )
    (error,) = answer.json()["errors"]
    assert (error["row"], error["code"]) == (2, "duplicate_key")
    assert "'k99999' twice" in error["message"]


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": [value]}
    return value


@pytest.mark.parametrize(
    "forged",
    [
        {"effects": {"parts": {"trend": [1.0]}}},
        {"effects": {"parts": {"trend": ["x"] * 3}}},
        {"effects": {"parts": {"trend": [10**400] * 3}}},
        {"effects": {"parts": [1]}},
        {"params": deep(400)},
        {"trials": [deep(120)]},
        {"params": {"n": 10**400}},
        {"skill": -1e308},
        {"trained_through": "9999-12-31", "forecast": []},
        {"trained_through": "0001-01-01", "forecast": []},
        {"warnings": ["\ud800"]},
        {"product": "a\0b"},
    ],
    ids=lambda forged: json.dumps(forged)[:40],
)
async def test_a_forged_model_is_refused_or_shown_and_breaks_nothing(
    tenant: Tenant, forged: dict[str, Any]
) -> None:
    content = {"format": "morrow-bundle", "version": 1, **made_bundle().model_dump(mode="json")}
    rows = [{"date": "2026-06-30", "product": "Croissant", "quantity": 1}]
    assert (await tenant.client.post("/api/v1/sales", json={"rows": rows})).is_success
    data = gzipped(json.dumps(without_nan(content) | forged).encode())
    headers = {"Repr-Digest": repr_digest(sha256_of(data)), "Content-Type": "application/gzip"}
    answer = await tenant.client.post("/api/v1/models/import", content=data, headers=headers)
    assert answer.status_code in (201, 422), answer.text
    if answer.status_code == 422:
        assert answer.json()["errors"]
        return
    model = answer.json()["id"]
    shown = await tenant.client.get(f"/api/v1/models/{model}")
    assert shown.status_code == 200, shown.text
    assert (await tenant.client.post(f"/api/v1/models/{model}/promote")).status_code == 200
    for path in ("/api/v1/forecasts?product=Croissant", "/api/v1/forecasts/export?format=json"):
        assert (await tenant.client.get(path)).status_code in (200, 404)
    explained = await tenant.client.get(
        "/api/v1/forecasts/Croissant/explain", params={"date": "2026-07-01"}
    )
    assert explained.status_code in (200, 409, 422), explained.text
