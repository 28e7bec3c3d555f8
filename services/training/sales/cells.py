"""Columns into numbers, names, days and flags; every cell that is none is a fault of its row.

Names, days and flags repeat, so each distinct value is read once; numbers are read by the column.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Generic, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import TypeAdapter, ValidationError

from services.training.sales.days import day_number
from services.training.sales.faults import Faults
from services.training.sales.frame import Column
from shared.text import Name

T = TypeVar("T")
Codes = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]

NULL: Final = -1
REFUSED: Final = -2
PLAIN: Final = (str, int, float, bool, date, type(None))
NAME: Final = TypeAdapter[str](Name)


class NotReadable(Exception):
    """A cell that is not what its column holds."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def of_any_row(self, _: int) -> str:
        return self.message


@dataclass(frozen=True, slots=True)
class Distinct(Generic[T]):
    """A column of repeating values: `values[codes[row]]`, or code `NULL`, or `REFUSED`."""

    codes: Codes
    values: list[T]


def read_distinct(
    column: Column, field: str, faults: Faults, parse: Callable[[object], T]
) -> Distinct[T]:
    """Every distinct value through `parse`, which raises `NotReadable` for what it refuses."""
    raw = _distinct(column.values)
    known: dict[T, int] = {}
    recoded = np.full(len(raw.values) + 1, REFUSED, dtype=np.int32)
    recoded[NULL] = NULL
    for code, value in enumerate(raw.values):
        try:
            recoded[code] = known.setdefault(parse(value), len(known))
        except NotReadable as error:
            faults.mark(raw.codes == code, field, error.code, error.of_any_row)
    return Distinct(recoded[raw.codes], list(known))


def _distinct(values: pa.Array | list[object]) -> Distinct[object]:
    if isinstance(values, list):
        return _distinct_of_list(values)
    if pa.types.is_nested(values.type):
        return _distinct_of_list(values.to_pylist())
    encoded = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
    codes = pc.fill_null(encoded.indices.cast(pa.int32()), NULL).to_numpy(zero_copy_only=False)
    return Distinct(codes, encoded.dictionary.to_pylist())


def _distinct_of_list(values: list[object]) -> Distinct[object]:
    if not set(map(type, values)) <= set(PLAIN):
        # A list or an object cannot be a key; its text can, and is refused all the same.
        values = [value if isinstance(value, PLAIN) else _Alien(repr(value)) for value in values]
    codes: dict[object, int] = {None: NULL}
    found = np.fromiter(
        (codes.setdefault(value, len(codes) - 1) for value in values), np.int32, len(values)
    )
    return Distinct(found, list(codes)[1:])


@dataclass(frozen=True, slots=True)
class _Alien:
    text: str

    def __repr__(self) -> str:
        return self.text


def as_name(value: object) -> str:
    """A product or a location: text of 1 to 200 characters, in one spelling."""
    if not isinstance(value, str):
        raise NotReadable("not_text", f"{value!r:.80} is not text: put it in quotes")
    try:
        return NAME.validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        raise NotReadable(first["type"], f"{value!r:.80}: {first['msg']}") from None


def as_day(value: object) -> int:
    """A date `YYYY-MM-DD`, as days since 1970-01-01."""
    if isinstance(value, datetime):  # a Parquet timestamp
        if value.tzinfo is not None or value != datetime(value.year, value.month, value.day):
            raise NotReadable("not_a_date", f"{value} is an instant: send the business day")
        return day_number(value)
    if isinstance(value, date):
        return day_number(value)
    text = value.strip() if isinstance(value, str) else ""
    if len(text) == 10 and text[4] == text[7] == "-" and text.isascii():
        try:
            return day_number(date.fromisoformat(text))
        except ValueError as error:
            raise NotReadable("not_a_date", f"{value!r:.80}: {error}") from None
    raise NotReadable("not_a_date", f"{value!r:.80} is not a date YYYY-MM-DD")


def as_flag(value: object) -> bool:
    """0 or 1, true or false."""
    text = value.strip().lower() if isinstance(value, str) else value
    if text in (0, "0", "false"):
        return False
    if text in (1, "1", "true"):
        return True
    raise NotReadable("not_a_flag", f"{value!r:.80} is neither 0 nor 1")
