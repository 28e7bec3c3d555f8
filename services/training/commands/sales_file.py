"""A file of sales, in parts that one import each may hold."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

MEDIA_TYPES = {
    ".csv": "text/csv",
    ".ndjson": "application/x-ndjson",
    ".jsonl": "application/x-ndjson",
    ".json": "application/json",
    ".parquet": "application/vnd.apache.parquet",
}


@dataclass(frozen=True, slots=True)
class PartLimits:
    """How much one import may hold."""

    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Part:
    """One import: its body, how many rows of the file come before it, and which share of the
    file has been read with it."""

    body: bytes
    rows_before: int
    read: float


def parts_of(path: Path, limits: PartLimits) -> Iterator[Part]:
    """The file whole if it may be, else in parts of whole rows. At least one, so that the API
    is asked also about an empty file; what cannot be read here is sent as it stands, so that the
    API says what is wrong with it."""
    match MEDIA_TYPES[path.suffix.lower()]:
        case "text/csv":
            yield from _parts_of_lines(path, limits, headed=True)
        case "application/x-ndjson":
            yield from _parts_of_lines(path, limits, headed=False)
        case "application/json":
            yield from _parts_of_json(path, limits)
        case _:
            yield from _parts_of_parquet(path, limits)


def _parts_of_lines(path: Path, limits: PartLimits, *, headed: bool) -> Iterator[Part]:
    size = path.stat().st_size or 1
    with path.open("rb") as file:
        records = _csv_records(file) if headed else iter(file)
        header = next(records, b"") if headed else b""
        rows, length, before = [header], len(header), 0
        for record in records:
            if len(rows) > limits.rows or length + len(record) > limits.bytes:
                yield Part(b"".join(rows), before, file.tell() / size)
                before += len(rows) - 1
                rows, length = [header], len(header)
            rows.append(record)
            length += len(record)
        yield Part(b"".join(rows), before, 1.0)


def _csv_records(file: BinaryIO) -> Iterator[bytes]:
    """Lines, joined while a quoted field goes on (RFC 4180)."""
    pending: list[bytes] = []
    quotes = 0
    while line := file.readline():
        pending.append(line)
        quotes += line.count(b'"')
        if quotes % 2 == 0:
            yield b"".join(pending)
            pending, quotes = [], 0
    if pending:
        yield b"".join(pending)


def _parts_of_json(path: Path, limits: PartLimits) -> Iterator[Part]:
    body = path.read_bytes()
    rows = _rows_of(body)
    if rows is None or (len(rows) <= limits.rows and len(body) <= limits.bytes):
        yield Part(body, 0, 1.0)
        return
    step = min(limits.rows, max(1, len(rows) * limits.bytes // (2 * len(body))))
    for first in range(0, len(rows), step):
        some = rows[first : first + step]
        text = json.dumps({"rows": some}, ensure_ascii=False)
        yield Part(text.encode("utf-8", "surrogatepass"), first, (first + len(some)) / len(rows))


def _rows_of(body: bytes) -> list[object] | None:
    try:
        document = json.loads(body)
    except ValueError:
        return None
    rows = document.get("rows") if isinstance(document, dict) else None
    return rows if isinstance(rows, list) else None


def _parts_of_parquet(path: Path, limits: PartLimits) -> Iterator[Part]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
    except pa.ArrowInvalid:
        yield Part(path.read_bytes(), 0, 1.0)
        return
    with file:
        total = file.metadata.num_rows
        if total <= limits.rows:
            yield Part(path.read_bytes(), 0, 1.0)
            return
        before = 0
        for batch in file.iter_batches(limits.rows):
            buffer = BytesIO()
            pq.write_table(pa.Table.from_batches([batch]), buffer)
            yield Part(buffer.getvalue(), before, (before + batch.num_rows) / total)
            before += batch.num_rows
