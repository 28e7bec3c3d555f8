"""The faults of an import: found column by column, told row by row, the first hundred of them."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from shared.errors import MOST_ERRORS, InputError, Problem

Mask = npt.NDArray[np.bool_]


def refuse(code: str, message: str, *, row: int | None = None, field: str | None = None) -> Problem:
    """A body that cannot be read on: the one fault that ends the reading."""
    if row is None and field is None:
        field = "body"
    error = InputError(row=row, field=field, code=code, message=message)
    return Problem(422, "invalid_rows", message, [error])


@dataclass(slots=True)
class Faults:
    """What is wrong with the rows of one request; nothing of it is kept if anything is."""

    found: list[InputError] = field(default_factory=list)
    count: int = 0

    def mark(self, wrong: Mask, field: str, code: str, message: Callable[[int], str]) -> None:
        """Every row where `wrong` holds (0-based) has this fault; `message` says it of one row."""
        rows = np.flatnonzero(wrong)
        self.count += len(rows)
        self.found.extend(
            InputError(row=int(row) + 1, field=field, code=code, message=message(int(row)))
            for row in rows[:MOST_ERRORS]
        )

    def add(self, field: str, code: str, message: str, row: int | None = None) -> None:
        """One fault: of `row` (1-based), or of a whole column."""
        self.count += 1
        self.found.append(InputError(row=row, field=field, code=code, message=message))

    def raise_if_any(self) -> None:
        """Raise the 422 that names the first faults in order of row."""
        if self.count == 0:
            return
        first = sorted(self.found, key=lambda error: error.row or 0)[:MOST_ERRORS]
        told = f"the first {len(first)} are listed" if self.count > len(first) else "all are listed"
        plural = "faults" if self.count > 1 else "fault"
        raise Problem(
            422,
            "invalid_rows",
            f"{self.count} {plural} in the rows, {told}; nothing of this request was kept",
            first,
        )
