"""CSV and Parquet into columns, without guessing a type."""

import csv
from typing import Final

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from services.training.sales.faults import Faults, refuse
from services.training.sales.frame import Column, Frame, require_few_columns
from shared.errors import Problem

OTHER_SEPARATORS: Final = ";\t|"
MOST_ROWS: Final = 1_000_000
MOST_UNPACKED: Final = 2**29


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
    """A Parquet file; every column keeps its own type. What the file says of itself is bounded
    before it is unpacked, and repeated texts stay as they are packed: a few bytes may declare any
    number of rows, each with the same long text."""
    try:
        file = pa.parquet.ParquetFile(pa.BufferReader(body))
        require_few_columns(file.schema_arrow.names)
        _require_modest(file)
        texts = [field.name for field in file.schema_arrow if _is_text(field.type)]
        file = pa.parquet.ParquetFile(pa.BufferReader(body), read_dictionary=texts)
        table = file.read(use_threads=False)
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise refuse(
            "invalid_parquet", f"the Parquet file cannot be read: {error!s:.300}"
        ) from None
    return _frame(table)


def _require_modest(file: "pa.parquet.ParquetFile") -> None:
    if file.metadata.num_rows > MOST_ROWS:
        raise Problem(
            413,
            "too_many_rows",
            f"{file.metadata.num_rows} rows are over the limit of {MOST_ROWS} an import: "
            "send them in several",
        )
    groups = (file.metadata.row_group(at) for at in range(file.metadata.num_row_groups))
    unpacked = sum(group.total_byte_size for group in groups)
    if unpacked > MOST_UNPACKED:
        raise Problem(
            413, "body_too_large", f"the file is {unpacked} bytes unpacked: at most {MOST_UNPACKED}"
        )
    for field in file.schema_arrow:
        if pa.types.is_nested(field.type):
            raise refuse(
                "nested_column",
                f"the column {field.name!r:.80} is nested: a cell holds one value",
                field=f"{field.name:.80}",
            )


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _frame(table: pa.Table) -> Frame:
    columns = {name: Column(table[name].combine_chunks()) for name in table.column_names}
    return Frame(columns, table.num_rows)
