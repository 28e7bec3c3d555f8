"""The rows of an import as they came: columns by name, nothing yet checked or converted."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from services.training.sales.faults import Mask, refuse

MOST_COLUMNS: Final = 58


@dataclass(frozen=True, slots=True)
class Column:
    """One field of all rows. `values` is an arrow array where the medium has types or is all text,
    a list where every cell may be of another type (JSON). `given` is False where the row lacks
    the field altogether, which is not the same as null; None: every row has it."""

    values: pa.Array | list[object]
    given: Mask | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """All rows of a request, column by column."""

    columns: dict[str, Column]
    rows: int

    def absent(self, name: str) -> Mask:
        """Where a row does not have this field."""
        column = self.columns.get(name)
        if column is None:
            return np.ones(self.rows, dtype=bool)
        if column.given is None:
            return np.zeros(self.rows, dtype=bool)
        return ~column.given


def require_few_columns(names: list[str]) -> None:
    """Raise where rows have more fields than may be stored, or one twice."""
    if len(names) > MOST_COLUMNS:
        raise refuse(
            "too_many_columns", f"the rows have {len(names)} columns; the limit is {MOST_COLUMNS}"
        )
    for name in names:
        if names.count(name) > 1:
            raise refuse("duplicate_column", f"the column {name!r:.80} is there twice", field=name)
