"""One series' stored rows, and what is known of its days, as the core's `Series`."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from services.training.demand.assembly import Place, build_series
from services.training.demand.series import Event, Series
from services.training.sales.days import Ints, day_of, timestamps
from services.training.sales.known_days import KnownDays, Span
from services.training.sales.numeric import Floats
from services.training.sales.stored_days import StoredDays

NEVER_LEFT_OUT = ("quantity", "open", "stockout")


@dataclass(frozen=True, slots=True)
class Window:
    """How much of a series is read: its last `days`, and of these its last known `rows`."""

    days: int
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class SeriesKey:
    """A series as the database knows it, with the calendar that holds at its location."""

    id: int
    product: str
    location: str
    country: str
    subdivision: str | None


def span_of(stored: StoredDays, last_sold: int, horizon_days: int, window: Window) -> Span:
    """The days to read of a series.

    History ends with its last known quantity, or with a day marked closed after it, though no
    later than `last_sold`, the location's last known quantity: what is planned has not been.
    The window counts back from the last known quantity, so that the span always has one.
    """
    known, closed = stored.known_days(), stored.closed_days()
    through = int(np.append(closed[closed <= last_sold], known[-1]).max())
    rows = len(known) if window.rows is None else min(window.rows, len(known))
    first = max(int(known[-rows]), int(known[-1]) - window.days + 1)
    return Span(first, through, through + horizon_days)


def assemble(
    key: SeriesKey,
    span: Span,
    stored: StoredDays,
    known: KnownDays,
    trading_days: Ints,
    events: tuple[Event, ...],
) -> Series:
    """The series over `span`; it has a known quantity within its history."""
    return build_series(
        Place(key.product, key.location, key.country, key.subdivision),
        rows_over(span, stored, known.over(span, key.location, key.product)),
        timestamps(trading_days),
        horizon_days=span.last - span.through,
        data_through=day_of(span.through),
        events=events,
    )


def rows_over(span: Span, stored: StoredDays, known: Mapping[str, Floats]) -> pd.DataFrame:
    """Every day of the span as the core reads rows: what a sale says itself goes before what is
    `known` of its day, and a day that sold was open whatever its location's calendar says."""
    within = (stored.day >= span.first) & (stored.day <= span.last)
    rows: dict[str, Floats] = dict(known)
    for name, values in stored.values.items():
        own = np.full(len(span.days), np.nan)
        own[stored.day[within] - span.first] = values[within]
        rows[name] = np.where(np.isnan(own), known.get(name, np.nan), own)
    contradicted = (rows["quantity"] > 0) & (rows["open"] == 0)
    rows["open"] = np.where(contradicted, np.nan, rows["open"])
    return pd.DataFrame({"date": timestamps(span.days), **_learnable(rows, span)})


def _learnable(rows: Mapping[str, Floats], span: Span) -> dict[str, Floats]:
    """The columns of which something is known in the past: of no other can anything be learnt."""
    past = slice(None, span.through - span.first + 1)
    return {
        name: values
        for name, values in rows.items()
        if name in NEVER_LEFT_OUT or not np.isnan(values[past]).all()
    }
