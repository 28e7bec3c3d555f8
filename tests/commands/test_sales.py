"""`morrow sales import`, against the real API."""

import json
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx
import pandas as pd
import pytest

from services.training.spool.shelf import open_shelf
from services.training.spool.turn import turn
from tests.commands.conftest import Served
from tests.commands.run_morrow import answer, morrow
from tests.conftest import Database
from tests.spool.made_batch import batch_of

ROWS = [
    {"date": "2026-01-02", "product": "roll", "quantity": 12},
    {"date": "2026-01-03", "product": 'roll "Kaiser", large', "quantity": 7},
]

BAD_ROW = {"date": "2026-01-04", "product": "roll", "quantity": "many"}


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    match path.suffix:
        case ".csv":
            pd.DataFrame(rows).to_csv(path, index=False)
        case ".ndjson":
            path.write_text("\n".join(map(json.dumps, rows)))
        case ".json":
            path.write_text(json.dumps({"rows": rows}))
        case ".parquet":
            pd.DataFrame(rows).to_parquet(path)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".ndjson", ".json", ".parquet"])
def test_each_format_is_known_by_its_extension(served: Served, tmp_path: Path, suffix: str) -> None:
    file = str(write(tmp_path / f"sales{suffix}", ROWS))
    with_key = {"URL": served.url, "API_KEY": served.key}
    first = answer(morrow("sales", "import", file, "--json", **with_key))
    assert (first["received"], first["inserted"], first["waiting"]) == (2, 2, 0)
    again = morrow("sales", "import", file, **with_key)
    assert "2 unchanged" in again.stdout


def test_row_errors_come_as_a_table_and_nothing_is_kept(served: Served, tmp_path: Path) -> None:
    file = write(
        tmp_path / "sales.csv",
        [*ROWS, BAD_ROW],
    )
    with_key = {"URL": served.url, "API_KEY": served.key}
    refused = morrow("sales", "import", str(file), **with_key)
    assert refused.exit_code == 1
    assert refused.stdout == ""
    assert "quantity" in refused.stderr
    assert any(line.split()[:1] == ["3"] for line in refused.stderr.splitlines())
    told = morrow("sales", "import", str(file), "--json", **with_key)
    error = json.loads(told.stdout)["error"]
    assert told.exit_code == 1
    assert [fault["row"] for fault in error["errors"]] == [3]
    kept = answer(morrow("sales", "import", str(write(file, ROWS)), "--json", **with_key))
    assert kept["inserted"] == 2


async def limit_rows(database: Database, rows: int) -> None:
    connection = await asyncpg.connect(database.admin_dsn)
    await connection.execute("UPDATE tenants SET limits = $1", json.dumps({"import_rows": rows}))
    await connection.close()


@pytest.fixture
async def few_rows(database: Database, served: Served) -> Served:
    """A tenant that may send no more than ten rows at once."""
    await limit_rows(database, 10)
    return served


@pytest.mark.parametrize("suffix", [".csv", ".ndjson", ".json", ".parquet"])
def test_a_file_over_the_limit_goes_in_parts(few_rows: Served, tmp_path: Path, suffix: str) -> None:
    days = pd.date_range("2026-01-01", periods=25).strftime("%Y-%m-%d")
    rows: list[dict[str, object]] = [
        {"date": day, "product": "roll", "quantity": n} for n, day in enumerate(days)
    ]
    with_key = {"URL": few_rows.url, "API_KEY": few_rows.key}
    file = write(tmp_path / f"sales{suffix}", rows)
    receipt = answer(morrow("sales", "import", str(file), "--json", **with_key))
    assert (receipt["received"], receipt["inserted"]) == (25, 25)


def test_an_error_in_a_later_part_names_the_row_of_the_file(
    few_rows: Served, tmp_path: Path
) -> None:
    days = pd.date_range("2026-01-01", periods=25).strftime("%Y-%m-%d")
    rows: list[dict[str, object]] = [{"date": day, "product": "a", "quantity": 1} for day in days]
    rows[22]["quantity"] = "many"
    file = write(tmp_path / "sales.csv", rows)
    refused = morrow(
        *("sales", "import", str(file), "--json"), URL=few_rows.url, API_KEY=few_rows.key
    )
    assert refused.exit_code == 1, refused.output
    error = json.loads(refused.stdout)["error"]
    assert [fault["row"] for fault in error["errors"]] == [23]
    assert "20 rows before row 21 were kept" in error["detail"]


def test_what_is_no_sales_file_is_wrong_usage(served: Served, tmp_path: Path) -> None:
    file = tmp_path / "sales.xlsx"
    file.touch()
    for arguments in ([str(file)], [str(tmp_path / "absent.csv")]):
        refused = morrow("sales", "import", *arguments, URL=served.url, API_KEY=served.key)
        assert refused.exit_code == 2


def test_an_empty_file_is_refused_by_the_api(served: Served, tmp_path: Path) -> None:
    file = tmp_path / "sales.csv"
    file.touch()
    refused = morrow("sales", "import", str(file), URL=served.url, API_KEY=served.key)
    assert refused.exit_code == 1
    assert "the body is empty" in refused.stderr


def test_rows_that_wait_on_the_servers_disk_are_told_apart(served: Served, tmp_path: Path) -> None:
    with_key = {"URL": served.url, "API_KEY": served.key}
    file = str(write(tmp_path / "sales.csv", ROWS))
    with httpx.Client(headers={"Authorization": f"Bearer {served.key}"}) as client:
        tenant_id = UUID(client.get(f"{served.url}/api/v1/tenant").json()["id"])
    shelf = open_shelf(tmp_path / "spool", most_bytes=10**6, most_tenant_bytes=10**6)
    with turn(shelf.root / "replaying", wait=True):
        shelf.append(batch_of(tenant_id, ROWS[0]))  # which none may overtake
        told = morrow("sales", "import", file, **with_key)
    assert told.exit_code == 0
    assert "2 rows: 0 new, 0 corrected, 0 unchanged, 2 kept on the server's disk" in told.stdout
