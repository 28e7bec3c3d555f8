"""Checked sales: what `POST /sales` accepts, as arrays the store can write."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt

from services.training.sales.cells import NULL, as_flag, read_distinct
from services.training.sales.days import Ints, day_number, day_of
from services.training.sales.faults import Faults, Mask
from services.training.sales.frame import Frame
from services.training.sales.keys import Keys, first_of_each_key, read_keys
from services.training.sales.numeric import Floats, read_numbers

Flags = npt.NDArray[np.int16]  # 1, 0, or -1 for unknown

KEY_FIELDS: Final = ("date", "product", "location")
FIELDS: Final = (*KEY_FIELDS, "quantity", "price", "promotion", "stockout", "open")
MAIN: Final = "main"
REGRESSOR_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}\Z")


@dataclass(frozen=True, slots=True)
class SalesRows:
    """One row a key, in order of place and day. NaN is null. `received` counts repeats as well."""

    received: int
    keys: Keys
    quantity: Floats
    price: Floats
    promotion: Floats
    stockout: Flags
    open: Flags
    regressors: dict[str, Floats]


def check_sales(frame: Frame, today: date) -> SalesRows:
    """The sales in `frame`, or the `Problem` that names every fault of its rows.

    `today` (UTC) bounds what can have been sold: a quantity may be of tomorrow at the latest,
    for somewhere it has begun. A closed day's quantity is unknown, whatever was sent.
    """
    faults = Faults()
    keys = read_keys(frame, faults, today=today, location=MAIN, product=None)
    opened, stockout = (read_flags(frame, name, faults) for name in ("open", "stockout"))
    quantity = _numbers(frame, "quantity", faults)
    price, promotion = (
        _numbers(frame, name, faults, negative=False) for name in ("price", "promotion")
    )
    regressors = read_regressors(frame, FIELDS, faults)
    closed = opened == 0
    _require_quantity(frame, keys.day, closed, today, faults)
    quantity = np.where(closed, np.nan, quantity)
    _refuse_sales_to_come(keys.day, quantity, today, faults)
    faults.raise_if_any()

    columns = {"quantity": quantity, "price": price, "promotion": promotion, **regressors}
    kept = first_of_each_key(keys, {**columns, "stockout": stockout, "open": opened}, faults)
    faults.raise_if_any()
    return SalesRows(
        received=frame.rows,
        keys=keys.at(kept),
        quantity=quantity[kept],
        price=price[kept],
        promotion=promotion[kept],
        stockout=stockout[kept],
        open=opened[kept],
        regressors={name: values[kept] for name, values in regressors.items()},
    )


def read_regressors(frame: Frame, fields: tuple[str, ...], faults: Faults) -> dict[str, Floats]:
    """Every column that is none of `fields`, as a named regressor."""
    names = [name for name in frame.columns if name not in fields]
    found: dict[str, Floats] = {}
    for name in names:
        if REGRESSOR_NAME.match(name):
            found[name] = read_numbers(frame.columns[name], name, faults)
        else:
            faults.add(
                f"{name:.80}",
                "invalid_column_name",
                f"{name!r:.80} cannot name a regressor: a letter or _, then letters, digits and _, "
                "at most 64 together",
            )
    return found


def _numbers(frame: Frame, name: str, faults: Faults, *, negative: bool = True) -> Floats:
    if name not in frame.columns:
        return np.full(frame.rows, np.nan)
    return read_numbers(frame.columns[name], name, faults, negative=negative)


def read_flags(frame: Frame, name: str, faults: Faults) -> Flags:
    """The column as flags, -1 where a row says nothing."""
    if name not in frame.columns:
        return np.full(frame.rows, NULL, dtype=np.int16)
    found = read_distinct(frame.columns[name], name, faults, as_flag)
    return np.array([*found.values, NULL], dtype=np.int16)[np.maximum(found.codes, NULL)]


def _require_quantity(frame: Frame, day: Ints, closed: Mask, today: date, faults: Faults) -> None:
    # Of a closed day and of a day to come it is unknown by nature, so it may be left out.
    open_and_past = ~closed & (day <= day_number(today))
    faults.mark(
        frame.absent("quantity") & open_and_past,
        "quantity",
        "missing_field",
        lambda _: "the row needs a quantity: null where it is unknown",
    )


def _refuse_sales_to_come(day: Ints, quantity: Floats, today: date, faults: Faults) -> None:
    last = day_number(today + timedelta(days=1))
    faults.mark(
        ~np.isnan(quantity) & (day > last),
        "quantity",
        "future_date",
        lambda row: f"{day_of(int(day[row]))} has not been: leave its quantity empty",
    )
