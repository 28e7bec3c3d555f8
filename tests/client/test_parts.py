"""Rows in parts: every row once, in order, and no part over its limits."""

import csv
import io
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from morrow import ImportLimits
from morrow.importing.files import parts_of_file
from morrow.importing.part import CSV, JSON, NDJSON, PARQUET, Part
from morrow.importing.rows import parts_of_frame, parts_of_rows

CELLS = st.text(alphabet='ab",\n é', max_size=6)
ROWS = st.lists(st.tuples(CELLS.map("x".__add__), CELLS).map(list), max_size=30)
HEADER = ["product", "note"]
LONGEST_ROW = 80
HUGE = ImportLimits(10**6, 10**9)

Records = list[dict[str, Any]]


def write_csv(path: Path, rows: Records) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([HEADER, *([row[name] for name in HEADER] for row in rows)])


def write_ndjson(path: Path, rows: Records) -> None:
    path.write_text("\n".join(json.dumps(row) for row in rows))


def write_json(path: Path, rows: Records) -> None:
    path.write_text(json.dumps({"rows": rows}))


def write_parquet(path: Path, rows: Records) -> None:
    pd.DataFrame(rows, columns=HEADER).to_parquet(path)


WRITERS: dict[str, Callable[[Path, Records], None]] = {
    ".csv": write_csv,
    ".ndjson": write_ndjson,
    ".jsonl": write_ndjson,
    ".json": write_json,
    ".parquet": write_parquet,
}


def read(part: Part) -> Records:
    """The rows of a body, as whoever receives it reads them."""
    match part.media_type:
        case _ if part.media_type == CSV:
            header, *rows = csv.reader(io.StringIO(part.body.decode(), newline=""))
            assert header == HEADER
            return [dict(zip(header, row, strict=True)) for row in rows]
        case _ if part.media_type == NDJSON:
            return [json.loads(line) for line in part.body.decode().split("\n") if line]
        case _ if part.media_type == JSON:
            found: Records = json.loads(part.body)["rows"]
            return found
    assert part.media_type == PARQUET
    table: Records = pq.read_table(io.BytesIO(part.body)).to_pylist()
    return table


def parts(suffix: str, rows: Records, limits: ImportLimits) -> list[Part]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"sales{suffix}"
        WRITERS[suffix](path, rows)
        return list(parts_of_file(path, limits))


def records(rows: list[list[str]]) -> Records:
    return [dict(zip(HEADER, row, strict=True)) for row in rows]


@pytest.mark.parametrize("suffix", [".csv", ".ndjson", ".json"])
@given(rows=ROWS, most=st.integers(1, 10), size=st.integers(LONGEST_ROW, 400))
@settings(max_examples=50, deadline=None)
def test_a_file_is_cut_into_parts_of_whole_rows(
    suffix: str, rows: list[list[str]], most: int, size: int
) -> None:
    made = parts(suffix, records(rows), ImportLimits(most, size))
    tables = [read(part) for part in made]
    assert [row for table in tables for row in table] == records(rows)
    assert all(len(table) <= most for table in tables)
    assert all(len(part.body) <= size for part in made)


@pytest.mark.parametrize("suffix", list(WRITERS))
@given(rows=ROWS.filter(bool), most=st.integers(1, 10))
@settings(max_examples=25, deadline=None)
def test_each_part_knows_what_came_before_it(suffix: str, rows: list[list[str]], most: int) -> None:
    made = parts(suffix, records(rows), ImportLimits(most, 10**6))
    before = 0
    for part in made:
        assert part.rows_before == before
        assert len(read(part)) <= most
        before += len(read(part))
    assert before == len(rows)
    shares = [part.share or 0 for part in made]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_a_parquet_file_of_too_many_bytes_is_cut_until_it_fits() -> None:
    rows = [{"product": f"p{number}", "note": f"{number * 7919:x}" * 20} for number in range(2000)]
    made = parts(".parquet", rows, ImportLimits(10**6, 20_000))
    assert [row for part in made for row in read(part)] == rows
    assert all(len(part.body) <= 20_000 for part in made)


def test_one_row_over_the_limit_goes_alone() -> None:
    rows = [{"product": "a" * length, "note": ""} for length in (5, 500, 5)]
    for suffix in (".csv", ".ndjson", ".parquet"):
        made = parts(suffix, rows, ImportLimits(10, 100))
        assert [row for part in made for row in read(part)] == rows


def test_empty_lines_are_no_rows(tmp_path: Path) -> None:
    """The API counts none either, so that a fault keeps its number."""
    path = tmp_path / "sales.csv"
    path.write_text("product,note\n\na,1\n\r\n\nb,2\n\n")
    made = list(parts_of_file(path, ImportLimits(1, 100)))
    assert [(part.rows_before, len(read(part))) for part in made] == [(0, 1), (1, 1)]


@pytest.mark.parametrize("suffix", list(WRITERS))
def test_what_cannot_be_read_is_sent_as_it_is(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"sales{suffix}"
    path.write_bytes(b"\x00\xff nothing of the kind")
    assert [part.body for part in parts_of_file(path, HUGE)] == [path.read_bytes()]
    path.write_bytes(b"")
    assert [part.body for part in parts_of_file(path, HUGE)] == [b""]


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"sales.xlsx ends in none of .csv"):
        parts_of_file(tmp_path / "sales.xlsx", HUGE)


@given(rows=ROWS, most=st.integers(1, 10), size=st.integers(LONGEST_ROW, 400))
@settings(max_examples=50, deadline=None)
def test_rows_are_cut_as_they_come(rows: list[list[str]], most: int, size: int) -> None:
    drawn = 0

    def drawing() -> Iterator[dict[str, Any]]:
        nonlocal drawn
        for row in records(rows):
            drawn += 1
            yield row

    sent: Records = []
    for part in parts_of_rows(drawing(), ImportLimits(most, size)):
        assert part.rows_before == len(sent)
        sent += read(part)
        assert len(read(part)) <= most
        assert len(part.body) <= size
        assert drawn <= len(sent) + 1
    assert sent == records(rows)


@given(rows=ROWS, most=st.integers(1, 10), size=st.integers(LONGEST_ROW, 400))
@settings(max_examples=50, deadline=None)
def test_a_frame_is_cut_as_a_file_is(rows: list[list[str]], most: int, size: int) -> None:
    frame = pd.DataFrame(records(rows), columns=HEADER)
    made = list(parts_of_frame(frame, ImportLimits(most, size)))
    assert [row for part in made for row in read(part)] == records(rows)
    assert all(len(read(part)) <= most and len(part.body) <= size for part in made)
    assert [part.rows_before for part in made] == [
        sum(len(read(before)) for before in made[:number]) for number in range(len(made))
    ]
