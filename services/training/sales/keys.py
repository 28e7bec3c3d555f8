"""The key of a row, (location, product, date), and rows that have the same one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt

from services.training.sales.cells import (
    NULL,
    Distinct,
    NotReadable,
    as_day,
    as_name,
    read_distinct,
)
from services.training.sales.days import Ints, day_number, day_of
from services.training.sales.faults import Faults, Mask
from services.training.sales.frame import Frame

Values = npt.NDArray[np.float64] | npt.NDArray[np.int16]

EARLIEST: Final = day_number(date(1900, 1, 1))
DAY_SPAN: Final = 2**20
LARGEST_TABLE: Final = 2**22
FURTHEST_AHEAD: Final = timedelta(days=2 * 366)


@dataclass(frozen=True, slots=True)
class Keys:
    """For each row its place (an index into `places`) and its day (since 1970-01-01)."""

    places: list[tuple[str, str]]  # (location, product)
    place: Ints
    day: Ints

    def at(self, rows: Ints) -> "Keys":
        """The keys of these rows alone."""
        return Keys(self.places, self.place[rows], self.day[rows])


def read_keys(
    frame: Frame, faults: Faults, *, today: date, location: str, product: str | None
) -> Keys:
    """The key of every row; `location` and `product` stand where a row names none.

    With `product` None every row must name one. With faults noted, the keys mean nothing.
    """
    locations = _names(frame, "location", faults, location)
    products = _names(frame, "product", faults, product)
    days = _days(frame, faults, today)
    if faults.count:
        return Keys([], days, days)
    width = len(products.values)
    pairs = locations.codes.astype(np.int64) * width + products.codes
    distinct, place = _ranked(pairs, len(locations.values) * width)
    places = [(locations.values[pair // width], products.values[pair % width]) for pair in distinct]
    return Keys(places, place, days)


def _ranked(values: Ints, span: int) -> tuple[Ints, Ints]:
    """The distinct values in order, and for each value its rank; values are in 0..span-1."""
    if span > LARGEST_TABLE:
        distinct, rank = np.unique(values, return_inverse=True)
        return distinct, rank.astype(np.int64)
    there = np.zeros(span, dtype=np.int64)
    there[values] = 1
    return np.flatnonzero(there), (np.cumsum(there) - 1)[values]


def _names(frame: Frame, field: str, faults: Faults, otherwise: str | None) -> Distinct[str]:
    column = frame.columns.get(field)
    if column is None:
        if otherwise is None and frame.rows:
            faults.add(field, "missing_field", f"every row needs a {field}")
        return Distinct(np.zeros(frame.rows, dtype=np.int32), [otherwise or ""])
    found = read_distinct(column, field, faults, as_name)
    missing = found.codes == NULL
    if otherwise is None:
        faults.mark(missing, field, "missing_field", lambda _: f"the row needs a {field}")
        return found
    values = found.values if otherwise in found.values else [*found.values, otherwise]
    return Distinct(np.where(missing, np.int32(values.index(otherwise)), found.codes), values)


def _days(frame: Frame, faults: Faults, today: date) -> Ints:
    column = frame.columns.get("date")
    if column is None:
        if frame.rows:
            faults.add("date", "missing_field", "every row needs a date")
        return np.zeros(frame.rows, dtype=np.int64)
    latest = day_number(today + FURTHEST_AHEAD)

    def within_reason(value: object) -> int:
        day = as_day(value)
        if not EARLIEST <= day <= latest:
            raise NotReadable(
                "date_out_of_range",
                f"{day_of(day)} is not between {day_of(EARLIEST)} and {day_of(latest)}",
            )
        return day

    found = read_distinct(column, "date", faults, within_reason)
    missing = found.codes == NULL
    faults.mark(missing, "date", "missing_field", lambda _: "the row needs a date")
    return np.array([*found.values, 0], dtype=np.int64)[np.maximum(found.codes, NULL)]


def first_of_each_key(keys: Keys, columns: Mapping[str, Values], faults: Faults) -> Ints:
    """The row that stands for each key, in order of key; rows that contradict it are faults."""
    key = keys.place * DAY_SPAN + (keys.day - EARLIEST)
    if (key[1:] > key[:-1]).all():  # in order, each once: there is nothing to sort
        return np.arange(len(key))
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    stands = first[inverse]
    for name, values in columns.items():
        same = (values == values[stands]) | (_unknown(values) & _unknown(values[stands]))
        faults.mark(
            ~same,
            name,
            "duplicate_row",
            lambda row: (
                f"row {row + 1} contradicts row {stands[row] + 1}: "
                "both are of the same location, product and date"
            ),
        )
    return np.asarray(first, dtype=np.int64)


def _unknown(values: Values) -> Mask:
    return np.isnan(values) if values.dtype == np.float64 else np.zeros(len(values), dtype=bool)
