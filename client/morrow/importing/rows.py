"""Rows of Python, and data frames, in parts that one import each may hold."""

import datetime as dt
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sized
from decimal import Decimal
from typing import TYPE_CHECKING, TypeGuard

from morrow.importing.part import CSV, NDJSON, ImportLimits, Part

if TYPE_CHECKING:
    import pandas as pd

Cell = str | float | int | bool | dt.date | Decimal | None
Row = Mapping[str, Cell]
"""`date`, `product`, `quantity`, … by the names of the API; any other number is a regressor."""
Rows = Iterable[Row]


def is_frame(data: "Rows | pd.DataFrame") -> "TypeGuard[pd.DataFrame]":
    """Whether this is a data frame of pandas, which is not imported for the question."""
    return hasattr(data, "to_csv") and hasattr(data, "iloc")


def parts_of_rows(rows: Rows, limits: ImportLimits) -> Iterator[Part]:
    """A line of JSON each; none where there is no row. Reads no further than the part at hand."""
    total = len(rows) if isinstance(rows, Sized) else None
    lines: list[bytes] = []
    length = before = 0
    for number, row in enumerate(rows, 1):
        line = _line(row, number)
        if len(lines) == limits.rows or (lines and length + len(line) > limits.bytes):
            yield _part(lines, before, total)
            before += len(lines)
            lines, length = [], 0
        lines.append(line)
        length += len(line)
    if lines:
        yield _part(lines, before, total)


def _part(lines: list[bytes], before: int, total: int | None) -> Part:
    share = None if total is None else (before + len(lines)) / total
    return Part(b"".join(lines), NDJSON, before, share)


def _line(row: Row, number: int) -> bytes:
    try:
        text = json.dumps(dict(row), default=_plain, ensure_ascii=False, allow_nan=False)
        return text.encode() + b"\n"
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"row {number} is not of plain values ({error}); what is unknown is None: {_told(row)}"
        ) from error


def _plain(value: object) -> object:
    """What JSON has no form for: days, decimals, and the numbers of numpy."""
    if isinstance(value, dt.datetime):
        raise TypeError(f"{value!r} is an instant, and a row is of a day: give its date")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    item = getattr(value, "item", None)
    if callable(item):
        return item()
    raise TypeError(f"{type(value).__name__} is neither text, number, flag nor day")


def _told(row: object) -> str:
    return repr(row)[:200]


def parts_of_frame(frame: "pd.DataFrame", limits: ImportLimits) -> Iterator[Part]:
    """As CSV, of the columns by their names, and of a named index; NaN is unknown."""
    named = [name for name in frame.index.names if name is not None]
    whole = frame.reset_index() if named else frame
    first = 0
    while first < len(whole):
        rows = min(limits.rows, len(whole) - first)
        body = _csv(whole, first, rows)
        while len(body) > limits.bytes and rows > 1:
            rows = max(1, min(rows // 2, math.floor(rows * limits.bytes / len(body))))
            body = _csv(whole, first, rows)
        yield Part(body, CSV, first, (first + rows) / len(whole))
        first += rows


def _csv(frame: "pd.DataFrame", first: int, rows: int) -> bytes:
    some = frame.iloc[first : first + rows]
    return some.to_csv(index=False, date_format="%Y-%m-%d", lineterminator="\n").encode()
