"""Checked regressors: what `POST /regressors` accepts, as arrays the store can merge."""

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from services.training.sales.faults import Faults
from services.training.sales.frame import Frame
from services.training.sales.keys import Keys, first_of_each_key, read_keys
from services.training.sales.numeric import Floats, read_numbers
from services.training.sales.sales_rows import KEY_FIELDS, Flags, read_flags, read_regressors

EVERYWHERE: Final = ""
OF_SALES_ALONE: Final = ("quantity", "stockout")


@dataclass(frozen=True, slots=True)
class RegressorRows:
    """One row a key. '' for location or product means all of them; NaN says nothing."""

    received: int
    keys: Keys
    values: dict[str, Floats]


def check_regressors(frame: Frame, today: date) -> RegressorRows:
    """The regressors in `frame`, or the `Problem` that names every fault of its rows."""
    faults = Faults()
    keys = read_keys(frame, faults, today=today, location=EVERYWHERE, product=EVERYWHERE)
    for name in OF_SALES_ALONE:
        if name in frame.columns:
            faults.add(name, "not_a_regressor", f"{name} is of a sale: send it to /sales")
    values = _values(frame, faults)
    faults.raise_if_any()
    kept = first_of_each_key(keys, values, faults)
    faults.raise_if_any()
    return RegressorRows(
        frame.rows, keys.at(kept), {name: column[kept] for name, column in values.items()}
    )


def _values(frame: Frame, faults: Faults) -> dict[str, Floats]:
    own: dict[str, Floats] = {
        name: read_numbers(frame.columns[name], name, faults, negative=False)
        for name in ("price", "promotion")
        if name in frame.columns
    }
    flags: dict[str, Flags] = (
        {"open": read_flags(frame, "open", faults)} if "open" in frame.columns else {}
    )
    opened: dict[str, Floats] = {
        name: np.where(flag < 0, np.nan, flag) for name, flag in flags.items()
    }
    named = read_regressors(frame, (*KEY_FIELDS, *own, *opened, *OF_SALES_ALONE), faults)
    return {**own, **opened, **named}
