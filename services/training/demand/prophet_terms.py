"""The columns of a Prophet model for one design: its terms in Prophet's own order and units.

A model of the same terms in Prophet has the same columns (`make_all_seasonality_features`), so a
fit of these arrays is a fit of that model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from services.training.demand.calendar import Holiday
from services.training.demand.features import Days, Design, Regressor
from services.training.demand.prediction import Floats
from services.training.demand.prophet_map import fourier

YEAR: Final = 365.25
YEARLY_ORDER: Final = 10
WEEKLY_ORDER: Final = 3
# A day to come then has its like in the past; a year not yet closed is extrapolated at will.
_YEARLY_FROM_DAYS: Final = 365
_WEEKLY_FROM_DAYS: Final = 15
_REGRESSOR_PREFIX: Final = "regressor: "


class Kind(StrEnum):
    YEARLY = "yearly"
    WEEKLY = "weekly"
    HOLIDAYS = "holidays"
    PLANNED = "planned"
    PAST_ONLY = "past_only"


@dataclass(frozen=True, slots=True)
class Term:
    """Some columns of a design under the name that Prophet gives the component."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    columns: slice


@dataclass(frozen=True, slots=True)
class Standard:
    """What Prophet subtracts from a regressor, and then divides it by."""

    mean: float
    deviation: float


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """`past` (n, K) and `ahead` (h, K) hold the columns of all terms, side by side; `acting` (K,)
    flags those that were ever something else than zero: the others say nothing."""

    terms: tuple[Term, ...]
    past: Floats
    ahead: Floats
    standards: dict[str, Standard]
    acting: npt.NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "acting", np.any(self.past != 0.0, axis=0))

    @property
    def labels(self) -> list[str]:
        return [label for term in self.terms for label in term.labels]


def covers_a_year(design: Design) -> bool:
    """Whether a model of these days holds a yearly term."""
    return design.span_days >= _YEARLY_FROM_DAYS


def column_of(regressor: str) -> str:
    """Its name in Prophet: a prefix keeps a tenant's names apart from the model's own."""
    return _REGRESSOR_PREFIX + regressor.replace("_delim_", "_")


def terms_of(design: Design) -> Terms:
    """Every term that a model of this design can hold, before any parameter is chosen."""
    terms: list[Term] = []
    blocks: list[Floats] = []
    days = np.concatenate((design.days, design.ahead))

    def add(name: str, kind: Kind, labels: Sequence[str], block: Floats) -> None:
        begin = sum(part.shape[1] for part in blocks)
        terms.append(Term(name, kind, tuple(labels), slice(begin, begin + len(labels))))
        blocks.append(block)

    if covers_a_year(design):
        labels = [f"yearly_delim_{number}" for number in range(1, 2 * YEARLY_ORDER + 1)]
        add("yearly", Kind.YEARLY, labels, fourier(days, YEAR, YEARLY_ORDER))
    if design.span_days >= _WEEKLY_FROM_DAYS:
        labels = [f"weekly_delim_{number}" for number in range(1, 2 * WEEKLY_ORDER + 1)]
        add("weekly", Kind.WEEKLY, labels, fourier(days, 7.0, WEEKLY_ORDER))
    if design.holidays:
        add("holidays", Kind.HOLIDAYS, *_indicators(design.holidays, days))
    standards: dict[str, Standard] = {}
    for regressor in sorted(design.regressors, key=lambda item: not item.planned):
        column, standard = column_of(regressor.name), _standard(regressor)
        standards[column] = standard
        values = np.concatenate((regressor.past, regressor.ahead))
        with np.errstate(invalid="ignore"):
            scaled = (values - standard.mean) / standard.deviation
        kind = Kind.PLANNED if regressor.planned else Kind.PAST_ONLY
        add(column, kind, [column], scaled[:, None])
    everything = np.column_stack(blocks) if blocks else np.empty((len(days), 0))
    past = len(design.days)
    return Terms(tuple(terms), everything[:past], everything[past:], standards)


def _indicators(holidays: Sequence[Holiday], days: Days) -> tuple[list[str], Floats]:
    """A column for each holiday and distance from it, in order of their labels."""
    rows = {day: row for row, day in enumerate(days.tolist())}
    columns: dict[str, list[int]] = {}
    for holiday in holidays:
        for offset in range(-holiday.before, holiday.after + 1):
            sign = "+" if offset >= 0 else "-"
            found = columns.setdefault(f"{holiday.name}_delim_{sign}{abs(offset)}", [])
            row = rows.get(holiday.day + timedelta(days=offset))
            if row is not None:
                found.append(row)
    labels = sorted(columns)
    block = np.zeros((len(days), len(labels)))
    for position, label in enumerate(labels):
        block[columns[label], position] = 1.0
    return labels, block


def _standard(regressor: Regressor) -> Standard:
    """As Prophet standardises: not at all where the values are 0 and 1, or all the same."""
    is_flag = ((regressor.past == 0.0) | (regressor.past == 1.0)).all()
    if is_flag and regressor.past.min() < regressor.past.max():
        return Standard(0.0, 1.0)
    with np.errstate(over="ignore", invalid="ignore"):  # the solver names what overflowed
        mean, deviation = float(regressor.past.mean()), float(np.std(regressor.past, ddof=1))
    return Standard(0.0, 1.0) if deviation == 0.0 else Standard(mean, deviation)
