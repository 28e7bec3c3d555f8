"""Validation before training: what a tenant should know or mend, and what no training takes.

`inspect` reads rows as sent; `inspect_history` the contiguous days of a `Series`, and is what a
training refuses by.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from services.training.demand.assembly import NoSalesError, Place, build_series
from services.training.demand.findings import Code, Finding, Severity, Subject, gravest_first
from services.training.demand.row_quality import inspect_rows, missing_fields

RECOMMENDED_DAYS: Final = 90
ZERO_SHARE_WARNING: Final = 0.7
ZERO_SHARE_REFUSAL: Final = 0.9
SOLD_OUT_WARNING: Final = 0.5
FEWEST_PRODUCTS: Final = 3


@dataclass(frozen=True, slots=True)
class Limits:
    """`intermittent_allowed`: a family that lives on zeros takes what is refused otherwise."""

    min_training_days: int = 30
    intermittent_allowed: bool = False


def inspect(
    subject: Subject,
    rows: pd.DataFrame,
    trading_days: pd.DatetimeIndex,
    today: date,
    limits: Limits,
) -> tuple[Finding, ...]:
    """Everything found about one series' rows (as `build_series` takes them), gravest first."""
    absent = missing_fields(subject, rows)
    if absent:
        return tuple(absent)
    about_rows = inspect_rows(subject, rows, today)
    place = Place(subject.product, subject.location, country="")
    try:
        series = build_series(place, rows.dropna(subset="date"), trading_days, horizon_days=0)
    except NoSalesError as error:
        message, fix = str(error), "send sales with a quantity"
        none = subject.finding(Code.NO_SALES, Severity.REFUSAL, pd.DatetimeIndex([]), message, fix)
        return gravest_first([none, *about_rows])
    about_gaps = _gaps(subject, rows, series.history)
    about_days = inspect_history(subject, series.history, limits)
    return gravest_first([*about_rows, *about_gaps, *about_days])


def inspect_catalogue(products: int) -> tuple[Finding, ...]:
    """Whether a tenant's products are many enough to learn from one another."""
    if products >= FEWEST_PRODUCTS:
        return ()
    message = f"{products} products sell; from {FEWEST_PRODUCTS} on they inform one another"
    fix = "send the sales of every product, even of those that need no forecast"
    return (
        Finding(Code.FEW_PRODUCTS, Severity.INFO, None, None, products, None, None, message, fix),
    )


def inspect_history(subject: Subject, history: pd.DataFrame, limits: Limits) -> tuple[Finding, ...]:
    """Findings about the contiguous days of `Series.history`, gravest first."""
    known = history["quantity"][history["open"]].dropna()
    findings = [
        *_too_few_days(subject, history, known, limits),
        *_no_variation(subject, known),
        *_zeros(subject, known, limits),
        *_sold_out(subject, history, known),
    ]
    return gravest_first(findings)


def _gaps(subject: Subject, rows: pd.DataFrame, history: pd.DataFrame) -> list[Finding]:
    sent = pd.DatetimeIndex(pd.to_datetime(rows["date"][rows["quantity"].notna()]))
    marked = (
        pd.DatetimeIndex(pd.to_datetime(rows["date"][rows["open"] == 0]))
        if "open" in rows
        else pd.DatetimeIndex([])
    )
    silent = ~history.index.isin(sent) & ~history.index.isin(marked)
    zero = history.index[silent & history["open"] & history["quantity"].notna()]
    unknown = history.index[silent & ~history["open"]]
    closed = history.index[history.index.isin(marked)]
    found = [
        (
            Code.GAP_READ_AS_ZERO, Severity.INFO, zero,
            "{} open days without a row are read as zero: other products sold that day",
            "send a row with quantity 0, or open=0 where the product was not offered",
        ),
        (
            Code.GAP_UNKNOWN, Severity.INFO, unknown,
            "{} days without a row on which nothing else sold either are read as closed",
            "send open=0 for closed days, and rows for the others",
        ),
        (
            Code.CLOSED_DAYS, Severity.INFO, closed,
            "{} days are marked closed: their demand is unknown, not zero", "nothing to do",
        ),
    ]  # fmt: skip
    return [
        subject.finding(code, severity, days, message.format(len(days)), fix)
        for code, severity, days, message, fix in found
        if len(days)
    ]


def _too_few_days(
    subject: Subject, history: pd.DataFrame, known: pd.Series, limits: Limits
) -> list[Finding]:
    least = limits.min_training_days
    if not history["open"].any():
        message = f"all {len(history)} days are closed"
        fix = "send the days on which the location was open"
        return [subject.finding(Code.ALL_CLOSED, Severity.REFUSAL, history.index, message, fix)]
    counted = f"{len(known)} days with known sales"
    if len(known) < least:
        message = f"{counted}, {least} are needed"
        fix = f"send {least - len(known)} more; until then the baseline answers"
        return [subject.finding(Code.TOO_SHORT, Severity.REFUSAL, known.index, message, fix)]
    if len(known) < RECOMMENDED_DAYS:
        message = f"{counted}, {RECOMMENDED_DAYS} are recommended"
        fix = "send older sales if there are any"
        return [subject.finding(Code.SHORT_HISTORY, Severity.WARNING, known.index, message, fix)]
    return []


def _no_variation(subject: Subject, known: pd.Series) -> list[Finding]:
    if known.empty or known.nunique() > 1:
        return []
    value = float(known.iloc[0])
    code = Code.ALL_ZERO if value == 0.0 else Code.CONSTANT
    message = f"each of {len(known)} known days sold {value:g}"
    fix = "check the source: real sales vary; the baseline repeats the value meanwhile"
    return [subject.finding(code, Severity.REFUSAL, known.index, message, fix)]


def _zeros(subject: Subject, known: pd.Series, limits: Limits) -> list[Finding]:
    zeros = known.index[known == 0.0]
    share = len(zeros) / len(known) if len(known) else 0.0
    if share <= ZERO_SHARE_WARNING or share == 1.0:
        return []
    message = f"{share:.0%} of {len(known)} open days sold nothing"
    fix = "mark days on which the product was not offered as closed"
    if share > ZERO_SHARE_REFUSAL and not limits.intermittent_allowed:
        message += f"; {ZERO_SHARE_REFUSAL:.0%} is the limit without the intermittent family"
        return [subject.finding(Code.TOO_MANY_ZEROS, Severity.REFUSAL, zeros, message, fix)]
    return [subject.finding(Code.MANY_ZEROS, Severity.WARNING, zeros, message, fix)]


def _sold_out(subject: Subject, history: pd.DataFrame, known: pd.Series) -> list[Finding]:
    flagged = history["stockout"].to_numpy()[history.index.isin(known.index)]
    days = known.index[np.asarray(flagged, dtype=bool)]
    if not len(known) or len(days) / len(known) <= SOLD_OUT_WARNING:
        return []
    message = f"sold out on {len(days)} of {len(known)} open days: what was missed is a guess"
    fix = "order more for some weeks, or check the stockout flag"
    return [subject.finding(Code.OFTEN_SOLD_OUT, Severity.WARNING, days, message, fix)]
