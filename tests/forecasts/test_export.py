"""Every series as one table, in three formats that say the same."""

import csv
import io
import json
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.forecasts.conftest import Stall
from tests.jobs.asking import sales_rows, send_rows

QUERY = {"quantiles": "0.1,0.5"}
NUMBERS = ("mean", "q0.1", "q0.5")


async def export(stall: Stall, format: str, **query: str) -> bytes:
    answer = await stall.tenant.client.get(
        "/api/v1/forecasts/export", params={"format": format, **QUERY, **query}
    )
    assert answer.status_code == 200, answer.text
    assert f'filename="forecasts.{format}"' in answer.headers["content-disposition"]
    return answer.content


async def test_json_holds_what_each_series_is_answered(stall: Stall) -> None:
    await stall.train(1)
    items = json.loads(await export(stall, "json"))["items"]
    asked = [await stall.ask(product=product, **QUERY) for product in ("bun", "roll")]
    assert [comparable(item) for item in items] == [comparable(item) for item in asked]
    assert [item["level"] for item in items] == ["baseline", "champion"]


async def test_whole_units_are_those_of_each_series(stall: Stall) -> None:
    await stall.train(1)
    [_, item] = json.loads(await export(stall, "json", whole="true"))["items"]
    assert item == await stall.ask(product="roll", whole=True, **QUERY)


def comparable(forecast: dict[str, Any]) -> dict[str, Any]:
    """A baseline is issued whenever it is asked for."""
    return forecast | ({"issued_at": None} if forecast["level"] == "baseline" else {})


async def test_csv_and_parquet_hold_a_row_for_each_day(stall: Stall) -> None:
    await stall.train(1)
    expected = [
        (item["product"], item["location"], day["date"], day["mean"], *day["quantiles"].values())
        for item in json.loads(await export(stall, "json"))["items"]
        for day in item["days"]
    ]
    rows = list(csv.DictReader(io.StringIO((await export(stall, "csv")).decode())))
    assert [
        (row["product"], row["location"], row["date"], *(float(row[name]) for name in NUMBERS))
        for row in rows
    ] == expected
    table = pq.read_table(io.BytesIO(await export(stall, "parquet"))).to_pylist()
    assert [
        (row["product"], row["location"], row["date"].isoformat(), *(row[name] for name in NUMBERS))
        for row in table
    ] == expected
    assert {row["level"] for row in table} == {"baseline", "champion"}


@pytest.mark.parametrize("format", ["csv", "parquet", "json"])
async def test_a_series_that_nothing_can_be_said_of_is_left_out(stall: Stall, format: str) -> None:
    [planned] = sales_rows("aardvark", days=1)
    await send_rows(stall.tenant.client, [planned | {"quantity": None}])
    assert b"aardvark" not in await export(stall, format)


async def test_wrong_formats_and_levels_are_refused(stall: Stall) -> None:
    for query in ({"format": "xml"}, {"quantiles": "2"}):
        answer = await stall.tenant.client.get("/api/v1/forecasts/export", params=query)
        assert answer.status_code == 422
