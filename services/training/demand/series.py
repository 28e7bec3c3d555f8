"""One product at one location: its daily past, what is planned for its future, and its bytes."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from services.training.demand import foreseen
from services.training.demand.foreseen import Tables
from services.training.demand.packing import packed, unpacked

HISTORY_COLUMNS: Final = ("quantity", "open", "stockout")
PLAN_COLUMNS: Final = ("open",)
_FORMAT: Final = 2

Floats = npt.NDArray[np.float64]


class MalformedSeriesError(ValueError):
    """A frame that breaks the promises of `Series`; the message names the part and the way out."""


@dataclass(frozen=True, slots=True)
class Event:
    """A tenant's own calendar event, felt from `window_before` to `window_after` days around."""

    name: str
    dates: tuple[date, ...]
    window_before: int = 0
    window_after: int = 0

    def __post_init__(self) -> None:
        if self.window_before < 0 or self.window_after < 0:
            raise MalformedSeriesError(
                f"event {self.name!r}: a window counts days and cannot be negative"
            )


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """The frame every part of the core reads.

    `history`: DatetimeIndex "date", one row a day without gaps, first sale to `data_through`;
    columns quantity (float64, NaN = unknown: closed or missing), open, stockout (bool), then
    regressors (float64, NaN = unknown) in order of name. `plan`: the days right after history;
    open (bool), then the same regressors, NaN = not known. `country` is ISO 3166 alpha-2,
    `subdivision` the part of ISO 3166-2 after the dash. Frames are copied and put in canonical
    form; raises `MalformedSeriesError` where that cannot be done.

    `foreseen` has a table (days of history and plan, leads) for each regressor that is known ahead
    only as forecast: its plan is what was foreseen at `data_through`.
    """

    product: str
    location: str
    country: str
    subdivision: str | None
    history: pd.DataFrame
    plan: pd.DataFrame
    events: tuple[Event, ...] = ()
    foreseen: Tables = field(default_factory=dict)

    def __post_init__(self) -> None:
        history = _canonical(self.history, HISTORY_COLUMNS, "history")
        plan = _canonical(self.plan, PLAN_COLUMNS, "plan")
        if history.empty:
            raise MalformedSeriesError("history is empty: a series begins with its first sale")
        _require_same_regressors(history, plan)
        if len(plan) and plan.index[0] != history.index[-1] + pd.Timedelta(days=1):
            raise MalformedSeriesError(
                f"plan begins on {plan.index[0].date()}, not on the day after "
                f"{history.index[-1].date()}, the last day of history"
            )
        tables = {name: _table(self.foreseen[name], name, history, plan) for name in self.foreseen}
        for name, table in sorted(tables.items()):
            plan[name] = foreseen.ahead_of(table, len(history) - 1, len(plan))
        object.__setattr__(self, "history", history)
        object.__setattr__(self, "plan", plan)
        object.__setattr__(self, "foreseen", tables)

    @property
    def regressors(self) -> tuple[str, ...]:
        return tuple(self.history.columns[len(HISTORY_COLUMNS) :])

    @property
    def data_through(self) -> pd.Timestamp:
        return pd.Timestamp(self.history.index[-1])

    def lately(self, days: int) -> Self:
        """This series without what lies further back than the last `days` of its history."""
        dropped = max(len(self.history) - days, 0)
        recent = copy(self)  # parts of a canonical frame are canonical
        tables = {name: table[dropped:] for name, table in self.foreseen.items()}
        object.__setattr__(recent, "history", self.history.iloc[dropped:])
        object.__setattr__(recent, "foreseen", tables)
        return recent

    def known_at(self, rows: int, ahead: int, regressors: Mapping[str, Floats]) -> Self:
        """This series as known after its first `rows` days (one or more), its plan the `ahead` days
        that followed: open as they were, with these regressors, NaN where not known, or as they
        were foreseen then."""
        future = self.history.iloc[rows : rows + ahead]
        columns = {name: future[name].to_numpy() for name in PLAN_COLUMNS}
        tables = {
            name: foreseen.known_at(table, rows - 1, len(future))
            for name, table in self.foreseen.items()
        }
        values = {**regressors} | {
            name: foreseen.ahead_of(table, rows - 1, len(future)) for name, table in tables.items()
        }
        columns |= {name: _finite(values[name], name, "plan") for name in self.regressors}
        known = copy(self)  # parts of a canonical frame are canonical
        object.__setattr__(known, "foreseen", tables)
        object.__setattr__(known, "history", self.history.iloc[:rows])
        object.__setattr__(known, "plan", pd.DataFrame(columns, index=future.index))
        return known

    def to_bytes(self) -> bytes:
        """Canonical bytes (gzipped JSON): the same content gives the same bytes."""
        content = {
            "format": _FORMAT,
            "product": self.product,
            "location": self.location,
            "country": self.country,
            "subdivision": self.subdivision,
            "events": [asdict(event) for event in self.events],
            "history": _frame_to_json(self.history),
            "plan": _frame_to_json(self.plan),
            "foreseen": {name: _nulls(table) for name, table in self.foreseen.items()},
        }
        return packed(content)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """The series whose `to_bytes` gave `data`, every NaN included."""
        content = unpacked(data)
        if content["format"] != _FORMAT:
            raise MalformedSeriesError(
                f"dataset format {content['format']} is not {_FORMAT}: collect the sales again"
            )
        return cls(
            product=content["product"],
            location=content["location"],
            country=content["country"],
            subdivision=content["subdivision"],
            history=_frame_from_json(content["history"]),
            plan=_frame_from_json(content["plan"]),
            events=tuple(
                Event(**{**event, "dates": tuple(map(date.fromisoformat, event["dates"]))})
                for event in content["events"]
            ),
            foreseen={
                name: np.array(table, dtype=np.float64)
                for name, table in content["foreseen"].items()
            },
        )


def weekdays(index: pd.Index) -> npt.NDArray[np.int32]:
    """Monday 0 .. Sunday 6 of each day of a series' index."""
    return pd.DatetimeIndex(index).day_of_week.to_numpy(dtype=np.int32)


def _canonical(frame: pd.DataFrame, fixed: tuple[str, ...], part: str) -> pd.DataFrame:
    _require_columns(frame, fixed, part)
    _require_daily(frame, part)
    regressors = sorted(str(name) for name in frame.columns if name not in fixed)
    index = pd.DatetimeIndex(np.asarray(frame.index, dtype="datetime64[ns]"), name="date")
    columns = {name: _column(frame[name], name, part) for name in [*fixed, *regressors]}
    return pd.DataFrame(columns, index=index)


def _column(values: pd.Series, name: str, part: str) -> np.ndarray:
    if name in ("open", "stockout"):
        if values.isna().any():
            raise MalformedSeriesError(f"{part}: {name} is yes or no, never unknown")
        return values.to_numpy(dtype=bool)
    return _finite(values.to_numpy(dtype=np.float64, na_value=np.nan), name, part)


def _finite(numbers: Floats, name: str, part: str) -> Floats:
    # Adding zero turns -0.0 into 0.0: equal content must have equal bytes.
    numbers = numbers + 0.0
    if np.isinf(numbers).any():
        raise MalformedSeriesError(f"{part}: {name} holds an infinity; send the number or nothing")
    return numbers


def _table(issued: Floats, name: str, history: pd.DataFrame, plan: pd.DataFrame) -> Floats:
    if name not in plan.columns:
        raise MalformedSeriesError(f"foreseen: {name!r} is no regressor of history and plan")
    days = len(history) + len(plan)
    if issued.ndim != 2 or issued.shape[0] != days or issued.shape[1] == 0:
        raise MalformedSeriesError(
            f"foreseen: {name} has the shape {issued.shape}; give ({days}, leads), a row a day of "
            "history and plan"
        )
    return foreseen.settled(_finite(issued, name, "foreseen"))


def _nulls(table: Floats) -> list[list[float | None]]:
    return [[None if value != value else value for value in row] for row in table.tolist()]


def _require_columns(frame: pd.DataFrame, fixed: tuple[str, ...], part: str) -> None:
    missing = [name for name in fixed if name not in frame.columns]
    if missing:
        raise MalformedSeriesError(f"{part} lacks the columns {missing}")
    if frame.columns.has_duplicates:
        raise MalformedSeriesError(f"{part} names a column twice: {list(frame.columns)}")


def _require_daily(frame: pd.DataFrame, part: str) -> None:
    index = frame.index
    if not isinstance(index, pd.DatetimeIndex) or index.tz is not None:
        raise MalformedSeriesError(f"{part} must be indexed by dates without a time zone")
    if len(index) and (
        index[0] != index[0].normalize()
        or not np.all(np.diff(index.to_numpy()) == np.timedelta64(1, "D"))
    ):
        raise MalformedSeriesError(f"{part} must hold every day once, in order, without gaps")


def _require_same_regressors(history: pd.DataFrame, plan: pd.DataFrame) -> None:
    past = set(history.columns) - set(HISTORY_COLUMNS)
    future = set(plan.columns) - set(PLAN_COLUMNS)
    if past != future:
        raise MalformedSeriesError(
            f"regressors of history and plan differ: {sorted(past ^ future)}; "
            "give both the same columns, NaN where unknown"
        )


def _frame_to_json(frame: pd.DataFrame) -> dict[str, object]:
    return {
        "start": str(frame.index[0].date()) if len(frame) else None,
        "columns": {
            str(name): [None if value != value else value for value in frame[name].tolist()]
            for name in frame.columns
        },
    }


def _frame_from_json(content: dict[str, object]) -> pd.DataFrame:
    columns = content["columns"]
    assert isinstance(columns, dict)
    frame = pd.DataFrame(
        {
            name: np.array(values, dtype=bool if name in ("open", "stockout") else np.float64)
            for name, values in columns.items()
        }
    )
    start = content["start"]
    frame.index = pd.date_range(str(start or "2000-01-01"), periods=len(frame), name="date")
    return frame
