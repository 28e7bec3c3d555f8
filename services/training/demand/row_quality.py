"""Findings about the rows as a tenant sent them, before they become days.

Nothing is lost by them: each names what is read otherwise than it stands, or not at all.
"""

from __future__ import annotations

from datetime import date
from typing import Final

import pandas as pd

from services.training.demand.findings import Code, Finding, Severity, Subject

REQUIRED_FIELDS: Final = ("date", "quantity")


def missing_fields(subject: Subject, rows: pd.DataFrame) -> list[Finding]:
    """Columns without which rows cannot be read at all; a refusal."""
    absent = [name for name in REQUIRED_FIELDS if name not in rows.columns]
    return [
        subject.finding(
            Code.MISSING_FIELD,
            Severity.REFUSAL,
            pd.DatetimeIndex([]),
            f"the field {name!r} is in none of {len(rows)} rows",
            f"send {name!r} with every row",
        )
        for name in absent
    ]


def inspect_rows(subject: Subject, rows: pd.DataFrame, today: date) -> list[Finding]:
    """Findings about rows that hold the required fields; `today` is the location's business day.

    `date` must be dates or NaT, `quantity` and `open` numbers or NaN."""
    checks = (
        _undated(subject, rows),
        _unquantified(subject, rows, today),
        _duplicates(subject, rows),
        _negative(subject, rows),
        _from_the_future(subject, rows, today),
        _sold_while_closed(subject, rows),
    )
    return [finding for found in checks for finding in found]


def _undated(subject: Subject, rows: pd.DataFrame) -> list[Finding]:
    days = _days(rows, rows["date"].isna())
    return _where_any(
        subject, Code.MISSING_VALUE, Severity.WARNING, days,
        "{count} rows have no date and are left out", "send the business day of each row",
    )  # fmt: skip


def _unquantified(subject: Subject, rows: pd.DataFrame, today: date) -> list[Finding]:
    past = _dates(rows) <= pd.Timestamp(today)
    unknown = rows["quantity"].isna() & past & ~_closed(rows)
    return _where_any(
        subject, Code.MISSING_VALUE, Severity.WARNING, _days(rows, unknown),
        "{count} past rows have no quantity: as if they had not been sent",
        "send the quantity, or open=0 for a closed day",
    )  # fmt: skip


def _duplicates(subject: Subject, rows: pd.DataFrame) -> list[Finding]:
    repeated = _dates(rows).duplicated(keep="last") & rows["date"].notna()
    return _where_any(
        subject, Code.DUPLICATE, Severity.WARNING, _days(rows, repeated),
        "{count} rows repeat a day; the last row of each day counts",
        "send one row a day, with the day's total",
    )  # fmt: skip


def _negative(subject: Subject, rows: pd.DataFrame) -> list[Finding]:
    return _where_any(
        subject, Code.NEGATIVE_QUANTITY, Severity.WARNING, _days(rows, rows["quantity"] < 0),
        "{count} rows have a negative quantity, read as zero",
        "send sales without returns, which belong to the day of the sale",
    )  # fmt: skip


def _from_the_future(subject: Subject, rows: pd.DataFrame, today: date) -> list[Finding]:
    ahead = (_dates(rows) > pd.Timestamp(today)) & rows["quantity"].notna()
    return _where_any(
        subject, Code.FUTURE_DATE, Severity.WARNING, _days(rows, ahead),
        "{count} rows hold sales of days after " + today.isoformat(),
        "check the dates; leave the quantity of a day to come empty",
    )  # fmt: skip


def _sold_while_closed(subject: Subject, rows: pd.DataFrame) -> list[Finding]:
    return _where_any(
        subject, Code.SOLD_WHILE_CLOSED, Severity.WARNING,
        _days(rows, _closed(rows) & (rows["quantity"] > 0)),
        "{count} rows are closed and yet sold something; their quantity is not read",
        "send open=1 for days with sales",
    )  # fmt: skip


def _where_any(
    subject: Subject, code: Code, severity: Severity, days: pd.Index, message: str, fix: str
) -> list[Finding]:
    if not len(days):
        return []
    return [subject.finding(code, severity, days, message.format(count=len(days)), fix)]


def _closed(rows: pd.DataFrame) -> pd.Series:
    if "open" not in rows:
        return pd.Series(False, index=rows.index)
    return rows["open"] == 0


def _dates(rows: pd.DataFrame) -> pd.Series:
    return pd.to_datetime(rows["date"])


def _days(rows: pd.DataFrame, chosen: pd.Series) -> pd.Index:
    return pd.DatetimeIndex(_dates(rows)[chosen])
