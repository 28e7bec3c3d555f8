"""The sample suppliers: what they serve fits the sample bakery, and fails as it is told to."""

import asyncio
import re
import signal
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from services.training.sample.bakery import generate_bakery
from services.training.sample.upstream.serve import HISTORY_DAYS
from tests.sources.sample_suppliers import bakery_suppliers, sample_at

TODAY = date(2026, 5, 20)
NOW = datetime(2026, 5, 20, 6, tzinfo=UTC)
AT = {"latitude": "48.0", "longitude": "7.9"}


async def test_the_till_hands_out_every_row_once_in_order_of_change() -> None:
    bakery = generate_bakery(7, TODAY - timedelta(days=HISTORY_DAYS), HISTORY_DAYS)
    rows, cursor = [], 0
    async with sample_at(NOW) as (url, _), httpx.AsyncClient(base_url=url) as client:
        while cursor is not None:
            body = (await client.get("/sales", params={"cursor": cursor, "limit": 1000})).json()
            rows += body["items"]
            cursor = body["next_cursor"]
        since = {"updated_since": "2026-05-19T00:00:00Z"}
        late = (await client.get("/sales", params=since)).json()["items"]
    known = bakery.sales[bakery.sales["quantity"].notna()]
    sold = {
        (row["date"], row["product"]): row["quantity"]
        for row in rows
        if row["quantity"] is not None
    }
    assert sold == {
        (f"{row.date:%Y-%m-%d}", row.product): float(row.quantity) for row in known.itertuples()
    }
    changes = [row["updated_at"] for row in rows]
    assert changes == sorted(changes)
    assert {row["updated_at"] for row in late} == {"2026-05-19T20:00:00Z"}


async def test_the_archive_is_the_weather_that_moved_the_demand() -> None:
    bakery = generate_bakery(7, TODAY - timedelta(days=HISTORY_DAYS), HISTORY_DAYS)
    skies = bakery_suppliers(TODAY).skies
    for row in bakery.regressors.itertuples():
        if row.date.date() < TODAY:
            came = skies.as_came(row.date.date())
            assert (came["temp_mean"], came["precipitation"]) == (
                row.temperature,
                row.precipitation,
            )


def test_forecasts_are_the_worse_the_longer_ahead() -> None:
    skies = bakery_suppliers(TODAY).skies
    days = [TODAY - timedelta(days=n) for n in range(400)]

    def error(lead: int) -> float:
        return sum(
            abs(skies.as_foreseen(day, lead)["temp_mean"] - skies.as_came(day)["temp_mean"])
            for day in days
        )

    assert error(1) < error(4) < error(16)
    assert skies.as_foreseen(TODAY, 17) == {}


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ({"daily": "temperature_2m_mean"}, "Timezone is required"),
        ({"daily": "moonshine", "timezone": "GMT"}, "invalid String value moonshine"),
        ({"timezone": "Mars/Base", "daily": "precipitation_sum"}, "Invalid value"),
        ({"end_date": "2026-06-30"}, "out of allowed range"),
        ({"latitude": "95"}, "Latitude must be in range"),
        ({"latitude": "1,2"}, "same number of elements"),
        ({"start_date": "someday"}, "Invalid value"),
    ],
)
async def test_bad_questions_are_refused_as_open_meteo_refuses(
    query: dict[str, str], reason: str
) -> None:
    asked = AT | {"start_date": "2026-05-01", "end_date": "2026-05-02"} | query
    async with sample_at(NOW) as (url, _), httpx.AsyncClient(base_url=url) as client:
        answer = await client.get("/v1/archive", params=asked)
    assert answer.status_code == 400
    assert answer.json()["error"] is True
    assert reason in answer.json()["reason"]


async def test_suppliers_fail_as_told_and_are_healed_and_counted() -> None:
    asked = {"start": "2026-05-01", "end": "2026-05-02"}
    async with sample_at(NOW) as (url, _), httpx.AsyncClient(base_url=url) as client:
        await client.post("/fail", params={"supplier": "traffic", "status": "429"})
        assert (await client.get("/traffic", params=asked)).status_code == 429
        assert (await client.get("/weather", params=asked)).status_code == 200
        await client.post("/fail", params={"supplier": "traffic", "mishap": "malformed"})
        with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
            (await client.get("/traffic", params=asked)).json()
        await client.post("/fail", params={"supplier": "traffic", "mishap": "slow", "seconds": "1"})
        with pytest.raises(httpx.ReadTimeout):
            await client.get("/traffic", params=asked, timeout=0.2)
        assert (await client.post("/fail", params={"mishap": "fire"})).status_code == 400
        await client.post("/heal")
        assert (await client.get("/traffic", params=asked)).status_code == 200
        told = (await client.get("/calls")).json()
    assert told == {"calls": {"traffic": 4, "weather": 1}, "faults": {}}


async def test_the_command_serves_a_file_until_it_is_told_to_stop(tmp_path: Path) -> None:
    file = tmp_path / "sales.csv"
    file.write_text("date,product,quantity\n2026-05-18,scone,12\n2026-05-19,scone,9\n")
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.training.cli", "sample-upstream", "--port", "0"),
        *("--today", "2026-05-20", "--sales", str(file)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert program.stdout is not None
    ready = (await program.stdout.readline()).decode()
    found = re.fullmatch(r"ready (http://127\.0\.0\.1:\d+)\n", ready)
    assert found, ready
    async with httpx.AsyncClient(base_url=found[1]) as client:
        items = (await client.get("/sales")).json()["items"]
    program.send_signal(signal.SIGTERM)
    await program.wait()
    assert [(row["date"], row["quantity"]) for row in items] == [
        ("2026-05-18", 12.0),
        ("2026-05-19", 9.0),
    ]
