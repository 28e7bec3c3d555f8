"""PostgreSQL's binary COPY format for rows of fixed width: whole arrays at once, no cell in Python.

Fixed width means no nulls: they travel as NaN, or as a number the statement knows, and become
nulls (or come from them) in SQL. Format: PostgreSQL manual, COPY, "Binary Format".
"""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

Number = np.int16 | np.int32 | np.int64 | np.float64
Column = (
    npt.NDArray[np.int16] | npt.NDArray[np.int32] | npt.NDArray[np.int64] | npt.NDArray[np.float64]
)
DATE_EPOCH: Final = 10957  # 2000-01-01, from which PostgreSQL counts its days, since 1970-01-01

_ROWS_A_PART: Final = 20_000
_HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER: Final = b"\xff\xff"


def encode_rows(columns: Mapping[str, Column]) -> Iterator[bytes]:
    """The rows of these columns, in parts: int16 for smallint, int32 for integer and date (days
    since `DATE_EPOCH`), int64 for bigint, float64 for double precision."""
    length = len(next(iter(columns.values())))
    rows = np.empty(length, dtype=_row({name: values.dtype for name, values in columns.items()}))
    rows["fields"] = len(columns)
    for name, values in columns.items():
        rows[_width(name)] = values.dtype.itemsize
        rows[name] = values
    yield _HEADER
    for start in range(0, length, _ROWS_A_PART):
        yield rows[start : start + _ROWS_A_PART].tobytes()
    yield _TRAILER


def decode_rows(data: bytes, columns: Mapping[str, type[Number]]) -> "npt.NDArray[np.void]":
    """A binary COPY whose rows have exactly these types and no null, as a structured array."""
    kinds: dict[str, np.dtype[Number]] = {name: np.dtype(kind) for name, kind in columns.items()}
    rows = np.frombuffer(data[len(_HEADER) : -len(_TRAILER)], dtype=_row(kinds))
    for name, kind in kinds.items():
        if (rows[_width(name)] != kind.itemsize).any():
            raise ValueError(f"column {name!r} of the COPY holds a null or another type")
    decoded = np.empty(len(rows), dtype=list(kinds.items()))
    for name in kinds:
        decoded[name] = rows[name]
    return decoded


def _row(kinds: Mapping[str, "np.dtype[Number]"]) -> "np.dtype[np.void]":
    fields: list[tuple[str, str]] = [("fields", ">i2")]
    for name, kind in kinds.items():
        fields += [(_width(name), ">i4"), (name, kind.newbyteorder(">").str)]
    return np.dtype(fields)


def _width(name: str) -> str:
    return f"{name} width"
