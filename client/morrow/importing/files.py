"""A file of rows in parts that one import each may hold."""

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from morrow.importing.part import CSV, JSON, NDJSON, PARQUET, ImportLimits, Part

if TYPE_CHECKING:
    import pyarrow as pa

MEDIA_TYPES: Final = {
    ".csv": CSV,
    ".ndjson": NDJSON,
    ".jsonl": NDJSON,
    ".json": JSON,
    ".parquet": PARQUET,
}


def media_type_of(path: Path) -> str:
    """By how the file's name ends; ValueError where it ends in none that is known."""
    try:
        return MEDIA_TYPES[path.suffix.lower()]
    except KeyError:
        raise ValueError(f"{path.name} ends in none of {', '.join(MEDIA_TYPES)}") from None


def parts_of_file(path: Path, limits: ImportLimits) -> Iterator[Part]:
    """The file whole if it may be, else in parts of whole rows. At least one, so that the API is
    asked also about an empty file; what cannot be read here is sent as it stands, so that the API
    says what is wrong with it. Cutting a Parquet file takes pyarrow."""
    media_type = media_type_of(path)
    if media_type == JSON:
        return _parts_of_json(path, limits)
    if media_type == PARQUET:
        return _parts_of_parquet(path, limits)
    return _parts_of_lines(path, media_type, limits)


def _parts_of_lines(path: Path, media_type: str, limits: ImportLimits) -> Iterator[Part]:
    size = path.stat().st_size or 1
    with path.open("rb") as file:
        records = _csv_records(file) if media_type == CSV else iter(file)
        header = next(records, b"") if media_type == CSV else b""
        rows, length, before = [header], len(header), 0
        for record in records:
            if not record.strip(b"\r\n" if media_type == CSV else None):
                continue  # the API counts no empty lines
            if len(rows) > limits.rows or (len(rows) > 1 and length + len(record) > limits.bytes):
                behind = (file.tell() - len(record)) / size
                yield Part(b"".join(rows), media_type, before, behind)
                before += len(rows) - 1
                rows, length = [header], len(header)
            rows.append(record)
            length += len(record)
        yield Part(b"".join(rows), media_type, before, 1.0)


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


def _parts_of_json(path: Path, limits: ImportLimits) -> Iterator[Part]:
    body = path.read_bytes()
    rows = _rows_of(body)
    if rows is None or (len(rows) <= limits.rows and len(body) <= limits.bytes):
        yield Part(body, JSON, 0, 1.0)
        return
    step = min(limits.rows, max(1, len(rows) * limits.bytes // (2 * len(body))))
    for first in range(0, len(rows), step):
        some = rows[first : first + step]
        text = json.dumps({"rows": some}, ensure_ascii=False)
        share = (first + len(some)) / len(rows)
        yield Part(text.encode("utf-8", "surrogatepass"), JSON, first, share)


def _rows_of(body: bytes) -> list[object] | None:
    try:
        document = json.loads(body)
    except ValueError:
        return None
    rows = document.get("rows") if isinstance(document, dict) else None
    return rows if isinstance(rows, list) else None


def _parts_of_parquet(path: Path, limits: ImportLimits) -> Iterator[Part]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        yield Part(path.read_bytes(), PARQUET, 0, 1.0)
        return
    try:
        file = pq.ParquetFile(path)
    except pa.ArrowInvalid:
        yield Part(path.read_bytes(), PARQUET, 0, 1.0)
        return
    with file:
        total, before = file.metadata.num_rows, 0
        if total <= limits.rows and path.stat().st_size <= limits.bytes:
            yield Part(path.read_bytes(), PARQUET, 0, 1.0)
            return
        for batch in file.iter_batches(min(limits.rows, total)):
            for body, rows in _bodies(pa.Table.from_batches([batch]), limits.bytes):
                before += rows
                yield Part(body, PARQUET, before - rows, before / total)


def _bodies(table: "pa.Table", most: int) -> Iterator[tuple[bytes, int]]:
    """The table as files of no more bytes than that, each with its number of rows."""
    import pyarrow.parquet as pq

    buffer = BytesIO()
    pq.write_table(table, buffer)
    half = table.num_rows // 2
    if buffer.tell() <= most or half == 0:
        yield buffer.getvalue(), table.num_rows
        return
    yield from _bodies(table.slice(0, half), most)
    yield from _bodies(table.slice(half), most)
