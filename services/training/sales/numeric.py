"""Columns into floats: finite, of a sane size, and never read out of what is not a number."""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from services.training.sales.faults import Faults, Mask
from services.training.sales.frame import Column

Floats = npt.NDArray[np.float64]
Read = tuple[Floats, Mask, Mask]  # numbers (NaN where none), not null, readable as a number

LARGEST: Final = 1e12
NUMBER: Final = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"


def read_numbers(column: Column, field: str, faults: Faults, *, negative: bool = True) -> Floats:
    """The column as float64, NaN where the cell is null. What is no number is a fault."""
    values = column.values
    numbers, given, readable = (
        _from_list(values) if isinstance(values, list) else _from_arrow(values)
    )

    def saying(text: str) -> Callable[[int], str]:
        return lambda row: f"{_cell(values, row)!r:.80} {text}"

    finite = np.isfinite(numbers)
    checks = [
        ("not_a_number", "is not a number", given & ~readable),
        ("not_finite", "is not finite: leave it empty", given & readable & ~finite),
        ("too_large", f"is beyond {LARGEST:.0e}", finite & (np.abs(numbers) > LARGEST)),
    ]
    if not negative:
        checks.append(("negative", "is below zero", finite & (numbers < 0)))
    for code, text, wrong in checks:
        faults.mark(wrong, field, code, saying(text))
    return numbers + 0.0  # there is no minus zero


def _cell(values: pa.Array | list[object], row: int) -> object:
    return values[row] if isinstance(values, list) else values[row].as_py()


def _from_list(values: list[object]) -> Read:
    given = np.fromiter((value is not None for value in values), bool, len(values))
    if set(map(type, values)) <= {int, float, type(None)}:
        try:
            return np.array(values, dtype=np.float64), given, np.ones(len(values), dtype=bool)
        except OverflowError:
            pass  # one integer is beyond every float: look at each
    numbers = np.array([_number(value) for value in values], dtype=np.float64)
    readable = np.fromiter((type(value) in (int, float) for value in values), bool, len(values))
    return numbers, given, readable


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return np.nan
    try:
        return float(value)
    except OverflowError:
        return np.inf


def _from_arrow(values: pa.Array) -> Read:
    if pa.types.is_dictionary(values.type):  # each of its values once, however often it is there
        return _from_dictionary(values)
    kind = values.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _from_text(values)
    given = pc.is_valid(values).to_numpy(zero_copy_only=False)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _floats(values.cast(pa.float64(), safe=False)), given, np.ones_like(given)
    return np.full(len(values), np.nan), given, ~given


def _from_dictionary(values: pa.DictionaryArray) -> Read:
    codes = pc.fill_null(values.indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False)
    numbers, given, readable = _from_arrow(values.dictionary)
    # One more for null, which the code -1 finds at the end.
    return (
        np.append(numbers, np.nan)[codes],
        np.append(given, False)[codes],
        np.append(readable, True)[codes],
    )


def _from_text(values: pa.Array) -> Read:
    trimmed = pc.utf8_trim_whitespace(values)
    given = pc.fill_null(pc.not_equal(trimmed, ""), False).to_numpy(zero_copy_only=False)
    text = pc.if_else(pa.array(given), trimmed, None)
    try:
        return _floats(text.cast(pa.float64())), given, np.ones_like(given)
    except pa.ArrowInvalid:  # some are no numbers: read the others
        readable = pc.fill_null(pc.match_substring_regex(text, NUMBER), True)
        numbers = pc.if_else(readable, text, None).cast(pa.float64())
        return _floats(numbers), given, readable.to_numpy(zero_copy_only=False)


def _floats(values: pa.Array) -> Floats:
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float64)
