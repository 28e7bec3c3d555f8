"""The vocabulary of data quality: stable codes, severities, findings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

import pandas as pd


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
    SOLD_WHILE_CLOSED = "sold_while_closed"
    GAP_READ_AS_ZERO = "gap_read_as_zero"
    GAP_UNKNOWN = "gap_unknown"
    CLOSED_DAYS = "closed_days"
    NO_SALES = "no_sales"
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
    """`count` days or rows, the `first` and `last` day concerned; None where about no day.

    `product` and `location` are None where a finding is about the whole tenant."""

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
class Subject:
    """The series that findings are about."""

    product: str
    location: str

    def finding(
        self, code: Code, severity: Severity, days: pd.Index, message: str, fix: str
    ) -> Finding:
        known = pd.DatetimeIndex(days).dropna()
        first, last = (known.min().date(), known.max().date()) if len(known) else (None, None)
        return Finding(
            code, severity, self.product, self.location, len(days), first, last, message, fix
        )


_GRAVITY: Final = (Severity.REFUSAL, Severity.WARNING, Severity.INFO)


def gravest_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """In order of severity; within one, in the order found."""
    return tuple(sorted(findings, key=lambda finding: _GRAVITY.index(finding.severity)))
