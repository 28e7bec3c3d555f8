"""CSV and Parquet into columns, without guessing a type."""

import csv
from typing import Final

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from services.training.sales.faults import Faults, refuse
from services.training.sales.frame import Column, Frame, require_few_columns

OTHER_SEPARATORS: Final = ";\t|"


def read_csv(text: bytes) -> Frame:
    """Comma-separated UTF-8 with a header line: every cell as text, the empty ones null."""
    names = _header(text)
    ragged: list[pa.csv.InvalidRow] = []

    def note(row: pa.csv.InvalidRow) -> str:
        ragged.append(row)
        return "skip"

    try:
        table = pa.csv.read_csv(
            pa.BufferReader(text),
            # Rows are numbered only when they are read in order.
            pa.csv.ReadOptions(use_threads=False, column_names=names, skip_rows=1),
            pa.csv.ParseOptions(invalid_row_handler=note),
            pa.csv.ConvertOptions(
                check_utf8=False,  # the whole body was checked
                column_types=dict.fromkeys(names, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid as error:
        raise refuse("invalid_csv", f"the CSV cannot be read: {error!s:.300}") from None
    _require_rectangle(ragged)
    return _frame(table)


def _header(text: bytes) -> list[str]:
    line = text.partition(b"\n")[0].rstrip(b"\r").decode()
    try:
        names = [name.strip() for name in next(csv.reader([line], strict=True), [])]
    except csv.Error as error:
        raise refuse("invalid_csv", f"the header line cannot be read: {error}") from None
    if len(names) < 2 and any(separator in line for separator in OTHER_SEPARATORS):
        raise refuse(
            "not_comma_separated",
            f"the header {line!r:.80} has no comma: separate the columns with commas",
        )
    require_few_columns(names)
    return names


def _require_rectangle(ragged: list["pa.csv.InvalidRow"]) -> None:
    faults = Faults()
    for row in ragged:
        faults.add(
            "row",
            "ragged_row",
            f"the row has {row.actual_columns} cells, the header {row.expected_columns}",
            row=row.number - 1,  # arrow counts the header
        )
    faults.raise_if_any()


def read_parquet(body: bytes) -> Frame:
    """A Parquet file; every column keeps its own type."""
    try:
        file = pa.parquet.ParquetFile(pa.BufferReader(body))
        require_few_columns(file.schema_arrow.names)
        table = file.read(use_threads=False)
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise refuse(
            "invalid_parquet", f"the Parquet file cannot be read: {error!s:.300}"
        ) from None
    return _frame(table)


def _frame(table: pa.Table) -> Frame:
    columns = {name: Column(table[name].combine_chunks()) for name in table.column_names}
    return Frame(columns, table.num_rows)
