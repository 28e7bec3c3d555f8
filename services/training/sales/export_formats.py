"""Three ways to write sales: each takes tables of rows and gives what can be sent so far."""

import io
import json
import re
from enum import StrEnum
from typing import Final, Protocol, assert_never

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from shared.spreadsheet import FORMULA_BEGINS

SCHEMA: Final = pa.schema(
    [
        ("date", pa.date32()),
        ("product", pa.string()),
        ("location", pa.string()),
        ("quantity", pa.float64()),
        ("price", pa.float64()),
        ("promotion", pa.float64()),
        ("stockout", pa.int8()),
        ("open", pa.int8()),
    ]
)


FORMULA: Final = f"^([{re.escape(FORMULA_BEGINS)}])"


class Format(StrEnum):
    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"


MEDIA_TYPES: Final = {
    Format.JSON: "application/json",
    Format.CSV: "text/csv; charset=utf-8",
    Format.PARQUET: "application/vnd.apache.parquet",
}


class Writer(Protocol):
    """Rows of `SCHEMA` in, bytes out; `end` gives the last of them."""

    def rows(self, table: pa.Table) -> bytes: ...

    def end(self) -> bytes: ...


def writer_of(format: Format) -> Writer:
    """A writer for one answer."""
    match format:
        case Format.JSON:
            return JsonWriter()
        case Format.CSV:
            return CsvWriter()
        case Format.PARQUET:
            return ParquetWriter()
    assert_never(format)


class JsonWriter:
    """`{"items": [...], "next_cursor": null}`."""

    def __init__(self) -> None:
        self._before = '{"items":['

    def rows(self, table: pa.Table) -> bytes:
        items = [
            json.dumps(row, ensure_ascii=False, separators=(",", ":"), default=str)
            for row in table.to_pylist()
        ]
        if not items:
            return b""
        text, self._before = self._before + ",\n".join(items), ",\n"
        return text.encode()

    def end(self) -> bytes:
        opening = "" if self._before.startswith(",") else self._before
        return f'{opening}],"next_cursor":null}}'.encode()


class CsvWriter:
    """A header line and one line a row; null is empty. Names are no formulas to a spreadsheet."""

    def __init__(self) -> None:
        self._header = True

    def rows(self, table: pa.Table) -> bytes:
        sink = io.BytesIO()
        for name in ("product", "location"):
            at = table.schema.get_field_index(name)
            table = table.set_column(
                at, name, pc.replace_substring_regex(table[name], FORMULA, r"'\1")
            )
        pa.csv.write_csv(table, sink, pa.csv.WriteOptions(include_header=self._header))
        self._header = False
        return sink.getvalue()

    def end(self) -> bytes:
        return self.rows(SCHEMA.empty_table()) if self._header else b""


class ParquetWriter:
    """One row group for each table."""

    def __init__(self) -> None:
        self._outbox = _Outbox()
        self._writer = pa.parquet.ParquetWriter(self._outbox, SCHEMA)

    def rows(self, table: pa.Table) -> bytes:
        self._writer.write_table(table)
        return self._outbox.take()

    def end(self) -> bytes:
        self._writer.close()
        return self._outbox.take()


class _Outbox(io.RawIOBase):
    """A file that forgets what was taken, and remembers only how long it has become."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []
        self._length = 0

    def writable(self) -> bool:
        return True

    def write(self, data: bytes | memoryview, /) -> int:  # type: ignore[override]
        part = bytes(data)
        self._parts.append(part)
        self._length += len(part)
        return len(part)

    def tell(self) -> int:
        return self._length

    def take(self) -> bytes:
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken
