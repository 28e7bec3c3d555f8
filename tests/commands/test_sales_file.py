"""Cutting a file of sales into imports."""

import csv
import io
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from services.training.commands.sales_file import Part, PartLimits, parts_of

CELLS = st.text(alphabet='ab",\n é', max_size=6)
ROWS = st.lists(st.tuples(CELLS.map("x".__add__), CELLS).map(list), max_size=30)
HEADER = ["product", "note"]
LONGEST_ROW = 60


def cut(rows: list[list[str]], limits: PartLimits) -> list[Part]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sales.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([HEADER, *rows])
        return list(parts_of(path, limits))


def read(part: Part) -> list[list[str]]:
    return list(csv.reader(io.StringIO(part.body.decode(), newline="")))


@given(rows=ROWS, most=st.integers(1, 10), size=st.integers(LONGEST_ROW, 400))
def test_csv_parts_hold_every_row_once_in_order_below_a_header(
    rows: list[list[str]], most: int, size: int
) -> None:
    parts = cut(rows, PartLimits(most, size))
    tables = [read(part) for part in parts]
    assert all(table[0] == HEADER for table in tables)
    assert [row for table in tables for row in table[1:]] == rows
    assert all(len(table) - 1 <= most for table in tables)
    assert all(len(part.body) <= size for part in parts)


@given(rows=ROWS, most=st.integers(1, 10))
def test_each_part_knows_what_came_before_it(rows: list[list[str]], most: int) -> None:
    parts = cut(rows, PartLimits(most, 10_000))
    before = 0
    for part in parts:
        assert part.rows_before == before
        before += len(read(part)) - 1
    assert [part.read for part in parts] == sorted(part.read for part in parts)
    assert parts[-1].read == 1.0
