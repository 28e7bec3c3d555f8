"""Rows sent to the real API: all of them, in as many imports as the tenant's limits ask for."""

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pytest

from morrow import Client, ImportLimits, ImportRefused, Progress
from services.training.spool.shelf import open_shelf
from services.training.spool.turn import turn
from tests.client.conftest import Served, Shop
from tests.client.either import Either
from tests.client.scripted import Answer, Scripted
from tests.spool.made_batch import batch_of

FIRST = dt.date(2025, 1, 1)
NOTHING = {"inserted": 0, "updated": 0, "unchanged": 0, "waiting": 0, "receipts": []}


def day(number: int) -> dt.date:
    return FIRST + dt.timedelta(days=number)


def rows(count: int) -> list[dict[str, Any]]:
    return [{"date": day(n), "product": "rye", "quantity": n} for n in range(count)]


@pytest.fixture
def few(operator: Client, shop: Shop) -> None:
    """The tenant may send no more than four rows at once."""
    operator.change_tenant(shop.id, limits={"import_rows": 4})


def test_rows_are_of_plain_values(own: Either) -> None:
    values = [3, 2.5, Decimal("1.5"), np.int64(4), np.float64(0.5), None]
    sent = [
        {"date": day(n) if n % 2 else day(n).isoformat(), "product": "rye", "quantity": value,
         "stockout": n == 0, "price": Decimal("2.20"), "footfall": np.int32(n)}
        for n, value in enumerate(values)
    ]  # fmt: skip
    assert own.do("import_sales", sent)["inserted"] == 6
    stored = own.do("read_sales", product="rye", first=day(0), last="2025-01-06")
    assert [row["quantity"] for row in stored] == [3, 2.5, 1.5, 4, 0.5, None]
    assert [row["stockout"] for row in stored] == [1, 0, 0, 0, 0, 0]
    assert {row["price"] for row in stored} == {2.2}


@pytest.mark.usefixtures("few")
def test_an_iterator_of_rows_goes_in_as_many_imports_as_it_takes(own: Either) -> None:
    drawn = (row for row in rows(10))
    assert own.do("import_sales", drawn) == NOTHING | {"received": 10, "inserted": 10}
    assert own.do("import_sales", rows(10)) == NOTHING | {"received": 10, "unchanged": 10}


def test_nothing_is_no_import(own: Either) -> None:
    assert own.do("import_sales", []) == NOTHING | {"received": 0}
    assert own.do("import_sales", pd.DataFrame()) == NOTHING | {"received": 0}


@pytest.mark.usefixtures("few")
def test_a_data_frame_is_sent_by_its_columns_and_its_index(own: Either) -> None:
    frame = pd.DataFrame(
        {
            "product": "rye",
            "quantity": [1.0, np.nan, 3, 4, 5, 6],
            "open": [True, False, True, True, True, True],
        },
        index=pd.date_range("2025-01-01", periods=6, name="date"),
    )
    assert own.do("import_sales", frame)["inserted"] == 6
    stored = own.do("read_sales")
    assert [row["date"] for row in stored] == [day(n).isoformat() for n in range(6)]
    assert [row["quantity"] for row in stored] == [1, None, 3, 4, 5, 6]
    assert [row["open"] for row in stored] == [1, 0, 1, 1, 1, 1]


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("suffix", [".csv", ".ndjson", ".json", ".parquet"])
def test_a_file_over_the_limit_goes_in_parts(own: Either, tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"sales{suffix}", rows(9))
    assert own.do("import_sales_file", path) == NOTHING | {"received": 9, "inserted": 9}
    assert own.do("import_sales_file", str(path))["unchanged"] == 9


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("suffix", [".csv", ".ndjson", ".json", ".parquet"])
def test_what_is_known_of_days_goes_the_same_way(own: Either, tmp_path: Path, suffix: str) -> None:
    known = [{"date": row["date"], "footfall": row["quantity"]} for row in rows(9)]
    path = write(tmp_path / f"known{suffix}", known)
    assert own.do("import_regressors_file", path)["inserted"] == 9
    assert own.do("import_regressors", known)["unchanged"] == 9


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("suffix", [".csv", ".ndjson", ".json", None])
def test_a_fault_is_told_by_its_row_among_all(
    own: Either, tmp_path: Path, suffix: str | None
) -> None:
    bad = rows(10)
    bad[6]["quantity"] = "many"
    file = None if suffix is None else write(tmp_path / f"sales{suffix}", bad)
    operation, given = ("import_sales", bad) if file is None else ("import_sales_file", file)
    with pytest.raises(ImportRefused) as caught:
        own.do(operation, given)
    refused = caught.value
    assert (refused.status, refused.code) == (422, "invalid_rows")
    assert [(fault["row"], fault["field"]) for fault in refused.errors] == [(7, "quantity")]
    assert refused.imported == NOTHING | {"received": 4, "inserted": 4}
    assert "the 4 rows before row 5 were kept" in refused.detail
    assert len(own.do("read_sales")) == 4


def test_a_key_that_may_only_send_sends_by_the_standard_limits(
    served: Served, client: Client, own: Either
) -> None:
    till = client.create_key("till", ["ingest"])["key"]
    sender = Either(own.kind, served.url, till)
    assert sender.do("import_sales", rows(3))["inserted"] == 3


def test_limits_of_ones_own_are_kept_to(script: Scripted, either: Either) -> None:
    script.answers = [receipt(2)]
    either.do("import_sales", rows(5), limits=ImportLimits(2, 10**6))
    assert [asked.body.count(b"\n") for asked in script.asked] == [2, 2, 1]
    assert {asked.path for asked in script.asked} == {"/api/v1/sales"}


def receipt(count: int) -> Answer:
    told = f'{{"received":{count},"inserted":{count},"updated":0,"unchanged":0}}'
    return Answer(body=told.encode())


def test_a_part_whose_answer_is_lost_is_sent_again_and_counted_once(
    script: Scripted, either: Either
) -> None:
    script.answers = [receipt(2), Answer(hung_up=True), receipt(2), receipt(2), receipt(1)]
    told: list[Progress] = []
    limits = ImportLimits(2, 10**6)
    done = either.do("import_sales", rows(7), limits=limits, progress=told.append)
    assert done["received"] == 7
    assert script.asked[1].body == script.asked[2].body
    assert [each.rows for each in told if each.share == 1.0][-1] == 7


def test_progress_goes_from_nothing_to_all(own: Either, tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    dates = [day(n).isoformat() for n in range(400)]
    lines = [f"{date},{product},1" for product in "abcdefghijkl" for date in dates]
    path.write_text("\n".join(["date,product,quantity", *lines]))
    told: list[Progress] = []
    limits = ImportLimits(2000, 10**9)
    own.do("import_sales_file", path, limits=limits, progress=told.append)
    shares = [each.share or 0.0 for each in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert [each.rows for each in told][-1] == 4800
    assert {each.rows for each in told} == {0, 2000, 4000, 4800}


def test_of_an_iterator_nobody_knows_the_share(own: Either) -> None:
    told: list[Progress] = []
    own.do("import_sales", iter(rows(3)), progress=told.append)
    assert told == [Progress(3, None)]


def test_rows_that_wait_on_the_services_disk_have_receipts(
    served: Served, shop: Shop, own: Either
) -> None:
    shelf = open_shelf(served.folder / "spool", most_bytes=10**6, most_tenant_bytes=10**6)
    first = {"date": "2025-01-01", "product": "rye", "quantity": 1}
    with turn(shelf.root / "replaying", wait=True):
        shelf.append(batch_of(UUID(shop.id), first))  # which none may overtake
        done = own.do("import_sales", rows(3))
        (waiting,) = done.pop("receipts")
        told = own.do("get_receipt", waiting)
        spool = own.do("get_spool")
    assert done == {"received": 3, "inserted": 0, "updated": 0, "unchanged": 0, "waiting": 3}
    assert (told["id"], told["status"], told["received"]) == (waiting, "waiting", 3)
    assert spool["waiting"] == 2


@pytest.mark.parametrize("value", [float("nan"), dt.datetime(2025, 1, 1), {1}, object()])
def test_what_is_no_plain_value_is_refused_with_its_row(
    script: Scripted, either: Either, value: object
) -> None:
    bad = [*rows(2), {"date": "2025-01-03", "product": "rye", "quantity": value}]
    with pytest.raises(ValueError, match="row 3"):
        either.do("import_sales", bad, limits=ImportLimits(10, 10**6))
    assert script.asked == []


def test_a_file_is_no_rows(either: Either) -> None:
    for path in ("sales.csv", Path("sales.csv")):
        with pytest.raises(TypeError, match="import_sales_file"):
            either.do("import_sales", path)


def write(path: Path, content: list[dict[str, Any]]) -> Path:
    frame = pd.DataFrame(content)
    match path.suffix:
        case ".csv":
            frame.to_csv(path, index=False)
        case ".ndjson":
            frame.astype({"date": str}).to_json(path, orient="records", lines=True)
        case ".json":
            inside = frame.astype({"date": str}).to_json(orient="records")
            path.write_text(f'{{"rows": {inside}}}')
        case ".parquet":
            frame.to_parquet(path)
    return path
