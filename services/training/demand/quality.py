"""Findings about a series' days: what a tenant should know or mend before training.

`inspect_history` reads the contiguous frame a training reads, so what it refuses no training
takes. Codes are stable; messages name the value, the limit and the way out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

import pandas as pd

RECOMMENDED_DAYS: Final = 90
ZERO_SHARE_WARNING: Final = 0.7
ZERO_SHARE_REFUSAL: Final = 0.9
SOLD_OUT_WARNING: Final = 0.5


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    REFUSAL = "refusal"


class Code(StrEnum):
    MISSING_FIELD = "missing_field"
    MISSING_VALUE = "missing_value"
    DUPLICATE = "duplicate"
    NEGATIVE_QUANTITY = "negative_quantity"
    FUTURE_DATE = "future_date"
    GAP_READ_AS_ZERO = "gap_read_as_zero"
    GAP_UNKNOWN = "gap_unknown"
    CLOSED_DAYS = "closed_days"
    SOLD_WHILE_CLOSED = "sold_while_closed"
    NO_KNOWN_DAY = "no_known_day"
    ALL_CLOSED = "all_closed"
    TOO_SHORT = "too_short"
    SHORT_HISTORY = "short_history"
    ALL_ZERO = "all_zero"
    CONSTANT = "constant"
    MANY_ZEROS = "many_zeros"
    TOO_MANY_ZEROS = "too_many_zeros"
    OFTEN_SOLD_OUT = "often_sold_out"
    FEW_PRODUCTS = "few_products"


@dataclass(frozen=True, slots=True)
class Finding:
    """`first` and `last` are the days concerned, None where a finding is about no day."""

    code: Code
    severity: Severity
    product: str | None
    location: str | None
    count: int
    first: date | None
    last: date | None
    message: str
    fix: str


@dataclass(frozen=True, slots=True)
class Limits:
    """`intermittent_allowed`: a family that lives on zeros takes what is refused otherwise."""

    min_training_days: int = 30
    intermittent_allowed: bool = False


def inspect_history(
    history: pd.DataFrame, product: str, location: str, limits: Limits
) -> tuple[Finding, ...]:
    """Findings about one series' contiguous days (see `Series.history`), gravest first."""
    about = _About(product, location, history, limits)
    checks = (_too_few_days, _zeros, _no_variation, _sold_out)
    findings = [finding for check in checks for finding in check(about)]
    return tuple(sorted(findings, key=lambda finding: _GRAVITY.index(finding.severity)))


_GRAVITY: Final = (Severity.REFUSAL, Severity.WARNING, Severity.INFO)


@dataclass(frozen=True, slots=True, eq=False)
class _About:
    product: str
    location: str
    history: pd.DataFrame
    limits: Limits

    @property
    def known(self) -> pd.Series:
        return self.history["quantity"][self.history["open"]].dropna()

    def finding(
        self, code: Code, severity: Severity, days: pd.Index, message: str, fix: str
    ) -> Finding:
        first, last = (days[0].date(), days[-1].date()) if len(days) else (None, None)
        return Finding(
            code, severity, self.product, self.location, len(days), first, last, message, fix
        )


def _too_few_days(about: _About) -> list[Finding]:
    days, least = about.known.index, about.limits.min_training_days
    if not about.history["open"].any():
        return [
            about.finding(
                Code.ALL_CLOSED,
                Severity.REFUSAL,
                about.history.index,
                f"all {len(about.history)} days are closed",
                "send the days on which the location was open",
            )
        ]
    if len(days) < least:
        return [
            about.finding(
                Code.TOO_SHORT,
                Severity.REFUSAL,
                days,
                f"{len(days)} days with known sales, {least} are needed",
                f"send {least - len(days)} more days; until then the baseline answers",
            )
        ]
    if len(days) < RECOMMENDED_DAYS:
        return [
            about.finding(
                Code.SHORT_HISTORY,
                Severity.WARNING,
                days,
                f"{len(days)} days with known sales, {RECOMMENDED_DAYS} are recommended",
                "send older sales if there are any",
            )
        ]
    return []


def _zeros(about: _About) -> list[Finding]:
    known = about.known
    zeros = known.index[known == 0.0]
    share = len(zeros) / len(known) if len(known) else 0.0
    if share <= ZERO_SHARE_WARNING or share == 1.0:
        return []
    if share > ZERO_SHARE_REFUSAL and not about.limits.intermittent_allowed:
        return [
            about.finding(
                Code.TOO_MANY_ZEROS,
                Severity.REFUSAL,
                zeros,
                f"{share:.0%} of the open days sold nothing, {ZERO_SHARE_REFUSAL:.0%} is the limit",
                "mark days on which the product was not offered as closed, or allow the "
                "intermittent family",
            )
        ]
    return [
        about.finding(
            Code.MANY_ZEROS,
            Severity.WARNING,
            zeros,
            f"{share:.0%} of the open days sold nothing",
            "mark days on which the product was not offered as closed",
        )
    ]


def _no_variation(about: _About) -> list[Finding]:
    known = about.known
    if known.empty or known.nunique() > 1:
        return []
    value = float(known.iloc[0])
    code = Code.ALL_ZERO if value == 0.0 else Code.CONSTANT
    return [
        about.finding(
            code,
            Severity.REFUSAL,
            known.index,
            f"every one of {len(known)} known days sold {value:g}",
            "check the source: real sales vary; the baseline repeats the value meanwhile",
        )
    ]


def _sold_out(about: _About) -> list[Finding]:
    known = about.known
    days = known.index[about.history.loc[known.index, "stockout"]]
    if not len(known) or len(days) / len(known) <= SOLD_OUT_WARNING:
        return []
    return [
        about.finding(
            Code.OFTEN_SOLD_OUT,
            Severity.WARNING,
            days,
            f"sold out on {len(days)} of {len(known)} open days: what was missed is a guess",
            "order more for some weeks, or check the stockout flag",
        )
    ]
