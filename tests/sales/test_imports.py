"""POST /sales and /regressors: all or nothing, counted exactly, and kept apart by tenant."""

import asyncio
import gzip
import json
import random
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from shared.database import Sessions, tenant_transaction
from tests.conftest import Tenant, client_of, make_tenant

SALES = "/api/v1/sales"
REGRESSORS = "/api/v1/regressors"
ROW = {"date": "2026-03-01", "product": "rye", "quantity": 5}
Rows = list[dict[str, Any]]


async def send(client: httpx.AsyncClient, *rows: dict[str, Any], to: str = SALES) -> dict[str, int]:
    answer = await client.post(to, json={"rows": rows})
    assert answer.status_code == 200, answer.text
    receipt: dict[str, int] = answer.json()
    return receipt


async def stored(client: httpx.AsyncClient, **query: str) -> Rows:
    answer = await client.get(SALES, params=query)
    assert answer.status_code == 200, answer.text
    items: Rows = answer.json()["items"]
    return items


async def asked(sessions: Sessions, tenant: Tenant, query: str) -> list[tuple[Any, ...]]:
    async with tenant_transaction(sessions, tenant.id) as session:
        return [tuple(row) for row in await session.execute(text(query))]


def receipt(received: int, inserted: int, updated: int) -> dict[str, int]:
    unchanged = received - inserted - updated
    return {
        "received": received,
        "inserted": inserted,
        "updated": updated,
        "unchanged": unchanged,
    }


async def test_a_row_sent_again_replaces_the_row_of_its_key(tenant: Tenant) -> None:
    assert await send(tenant.client, ROW | {"price": 2, "stockout": 1}) == receipt(1, 1, 0)
    assert await send(tenant.client, ROW | {"price": 2.0, "stockout": True}) == receipt(1, 0, 0)
    assert await send(tenant.client, ROW) == receipt(1, 0, 1)
    (row,) = await stored(tenant.client)
    assert row == ROW | {
        "quantity": 5.0,
        "location": "main",
        "price": None,
        "promotion": None,
        "stockout": None,
        "open": None,
    }


async def test_a_replaced_quantity_is_kept_as_a_correction(
    tenant: Tenant, sessions: Sessions
) -> None:
    await send(tenant.client, ROW | {"quantity": None})
    await send(tenant.client, ROW)  # what was unknown becomes known: nothing is corrected
    await send(tenant.client, ROW | {"price": 3})
    await send(tenant.client, ROW | {"quantity": 7})
    await send(tenant.client, ROW | {"open": 0})
    found = await asked(
        sessions,
        tenant,
        "SELECT date, quantity_before, quantity_after FROM sale_corrections ORDER BY id",
    )
    assert found == [(date(2026, 3, 1), 5.0, 7.0), (date(2026, 3, 1), 7.0, None)]


async def test_any_sequence_of_imports_leaves_what_a_dictionary_would(tenant: Tenant) -> None:
    dice = random.Random(7)
    kept: dict[tuple[str, str, str], dict[str, Any]] = {}
    for _ in range(15):
        batch = {
            (row["location"], row["product"], row["date"]): row
            for row in (random_row(dice) for _ in range(dice.randrange(1, 40)))
        }
        inserted = len(batch.keys() - kept.keys())
        updated = sum(kept[key] != row for key, row in batch.items() if key in kept)
        sent = list(batch.values())
        dice.shuffle(sent)
        assert await send(tenant.client, *sent) == receipt(len(batch), inserted, updated)
        kept |= batch
    assert await stored(tenant.client) == [kept[key] for key in sorted(kept)]


def random_row(dice: random.Random) -> dict[str, Any]:
    closed = dice.random() < 0.2
    return {
        "date": (date(2026, 1, 1) + timedelta(days=dice.randrange(9))).isoformat(),
        "product": dice.choice(["rye", "roll", "Brötchen"]),
        "location": dice.choice(["main", "harbour"]),
        "quantity": None if closed else float(dice.randrange(3)),
        "price": dice.choice([None, 1.5]),
        "promotion": dice.choice([None, 0.0, 0.3]),
        "stockout": dice.choice([None, 0, 1]),
        "open": 0 if closed else dice.choice([None, 1]),
    }


async def test_one_wrong_row_and_nothing_is_kept(tenant: Tenant, sessions: Sessions) -> None:
    good = [ROW | {"product": f"p{at}"} for at in range(20)]
    answer = await tenant.client.post(SALES, json={"rows": [*good, ROW | {"quantity": "many"}]})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"] == [
        {
            "row": 21,
            "field": "quantity",
            "code": "not_a_number",
            "message": "'many' is not a number",
        }
    ]
    assert await asked(sessions, tenant, "SELECT product FROM products") == []


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("text/csv", b"date,product,quantity,rain\n2026-03-01,rye,5,0.5\n"),
        (
            "application/x-ndjson",
            b'{"date":"2026-03-01","product":"rye","quantity":5,"rain":0.5}\n',
        ),
        ("application/json", json.dumps({"rows": [ROW | {"rain": 0.5}]}).encode()),
    ],
)
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_every_medium_comes_in(
    tenant: Tenant, sessions: Sessions, media_type: str, body: bytes, encoding: str
) -> None:
    sent = gzip.compress(body) if encoding == "gzip" else body
    headers = {"Content-Type": media_type, "Content-Encoding": encoding}
    answer = await tenant.client.post(SALES, content=sent, headers=headers)
    assert answer.json() == receipt(1, 1, 0)
    assert (await stored(tenant.client))[0]["quantity"] == 5.0
    days = await asked(sessions, tenant, "SELECT location, product, values FROM regressor_days")
    assert days == [("main", "rye", {"rain": 0.5})]


async def test_what_went_out_comes_in_again_unchanged(tenant: Tenant) -> None:
    dice = random.Random(11)
    rows = {(row["location"], row["product"], row["date"]): row for row in
            (random_row(dice) for _ in range(60))}  # fmt: skip
    await send(tenant.client, *rows.values())
    for format, media_type in (("csv", "text/csv"), ("parquet", "application/x-parquet")):
        out = await tenant.client.get(SALES, params={"format": format})
        answer = await tenant.client.post(
            SALES, content=out.content, headers={"Content-Type": media_type}
        )
        assert answer.json() == receipt(len(rows), 0, 0)


async def test_regressors_are_merged_and_an_empty_cell_says_nothing(
    tenant: Tenant, sessions: Sessions
) -> None:
    day = {"date": "2026-03-01"}
    assert await send(tenant.client, day | {"rain": 1}, to=REGRESSORS) == receipt(1, 1, 0)
    assert await send(tenant.client, day | {"rain": 1.0, "wind": None}, to=REGRESSORS) == receipt(
        1, 0, 0
    )
    assert await send(
        tenant.client,
        day | {"wind": 2, "open": True},
        day | {"product": "rye", "price": 3},
        day | {"location": "harbour"},
        to=REGRESSORS,
    ) == receipt(3, 1, 1)
    assert await asked(
        sessions, tenant, "SELECT location, product, values FROM regressor_days ORDER BY product"
    ) == [("", "", {"rain": 1, "wind": 2, "open": 1}), ("", "rye", {"price": 3})]


@pytest.mark.parametrize("row", [{"quantity": 3}, {"stockout": 1}, {"rain": "wet"}, {"open": 2}])
async def test_what_is_no_regressor_is_refused(tenant: Tenant, row: dict[str, Any]) -> None:
    answer = await tenant.client.post(REGRESSORS, json={"rows": [{"date": "2026-03-01"} | row]})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == next(iter(row))


async def set_limits(sessions: Sessions, tenant: Tenant, limits: dict[str, int]) -> None:
    async with tenant_transaction(sessions, tenant.id) as session:
        await session.execute(
            text("UPDATE tenants SET limits = CAST(:limits AS jsonb)"),
            {"limits": json.dumps(limits)},
        )


async def test_a_tenants_own_limits_hold(tenant: Tenant, sessions: Sessions) -> None:
    await set_limits(sessions, tenant, {"series": 2, "import_rows": 3, "body_bytes": 2000})
    rows = [ROW | {"product": f"p{at}"} for at in range(4)]
    codes = []
    for body in ({"rows": rows}, {"rows": rows[:3]}, {"rows": [ROW | {"product": "x" * 2000}]}):
        answer = await tenant.client.post(SALES, json=body)
        codes.append((answer.status_code, answer.json()["code"]))
    assert codes == [(413, "too_many_rows"), (422, "series_limit"), (413, "body_too_large")]
    assert await send(tenant.client, *rows[:2]) == receipt(2, 2, 0)
    assert await send(tenant.client, *rows[:2]) == receipt(2, 0, 0)


async def test_imports_of_one_tenant_take_turns_and_never_deadlock(tenant: Tenant) -> None:
    names = [f"p{at}" for at in range(30)]
    batches = [
        [
            ROW | {"product": name, "quantity": turn}
            for name in random.Random(turn).sample(names, 30)
        ]
        for turn in range(8)
    ]
    receipts = await asyncio.gather(*(send(tenant.client, *batch) for batch in batches))
    assert sum(item["inserted"] for item in receipts) == 30
    assert sum(item["updated"] for item in receipts) == 7 * 30
    assert len({row["quantity"] for row in await stored(tenant.client)}) == 1


async def test_sales_stay_with_their_tenant(
    tenant: Tenant, app: FastAPI, api: httpx.AsyncClient
) -> None:
    await send(tenant.client, ROW)
    other = await make_tenant(app, api)
    async with other.client:
        assert await stored(other.client) == []
        assert await send(other.client, ROW | {"quantity": 9}) == receipt(1, 1, 0)
    assert [row["quantity"] for row in await stored(tenant.client)] == [5.0]


async def test_the_scope_decides(tenant: Tenant, app: FastAPI) -> None:
    made = await tenant.client.post("/api/v1/api-keys", json={"name": "r", "scopes": ["read"]})
    async with client_of(app, made.json()["key"]) as reader, client_of(app, None) as nobody:
        assert (await reader.get(SALES)).status_code == 200
        assert (await reader.post(SALES, json={"rows": []})).status_code == 403
        assert (await nobody.post(SALES, json={"rows": []})).status_code == 401


NONSENSE = (
    ("application/json", b'{"rows": [{"date": "2026-03-01", "product": "a\\u0000"}]}'),
    ("application/json", b'{"rows": [{"\\ud800": 1, "date": "2026-03-01"}]}'),
    ("application/json", b'{"rows": [{"date": "\\ud800", "product": "\\udfff"}]}'),
    ("application/json", b'{"rows": [{"date": "2026-03-01", "product": {"a": ["\\ud800"]}}]}'),
    ("application/json", b'{"\\ud800": 1}'),
    ("application/json", b'{"rows": [{"\\ud800": 1, "\\ud800": 2}]}'),
    ("application/json", b'{"rows": [{"quantity": ' + b"9" * 4000 + b"}]}"),
    ("application/json", b'{"rows": [{"quantity": -Infinity, "date": NaN}]}'),
    ("application/x-ndjson", b"\x00\x00\x00"),
    ("text/csv", b"date,product,quantity\n2026-03-01,a\x00b,\x00\n"),
    ("text/csv", b"\x00"),
    ("text/csv", b'date,product,quantity\n"2026-03-01,rye'),
    ("text/csv", b"\r\r\r"),
    ("application/parquet", b"PAR1PAR1"),
)


@pytest.mark.parametrize("to", [SALES, REGRESSORS])
async def test_nonsense_is_a_422_that_can_be_read(tenant: Tenant, to: str) -> None:
    for content_type, body in NONSENSE:
        answer = await tenant.client.post(to, content=body, headers={"Content-Type": content_type})
        assert answer.status_code == 422, (body[:80], answer.text)
        assert answer.json()["code"] == "invalid_rows", body[:80]
        assert answer.json()["errors"], body[:80]
