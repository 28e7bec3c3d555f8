"""Every finding has its code, its severity, its days, and a way out."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from services.training.demand.findings import Code, Finding, Severity, Subject
from services.training.demand.quality import Limits, inspect, inspect_catalogue, inspect_history
from tests.demand.made_series import series_of

SUBJECT = Subject("roll", "main")
TODAY = date(2024, 6, 30)


def sales(quantities: list[float], start: str = "2024-01-01") -> pd.DataFrame:
    days = pd.date_range(start, periods=len(quantities))
    return pd.DataFrame({"date": days, "quantity": quantities})


def steady(days: int) -> list[float]:
    return [float(3 + offset % 5) for offset in range(days)]


def look(rows: pd.DataFrame, limits: Limits | None = None) -> dict[Code, Finding]:
    trading = pd.DatetimeIndex(pd.to_datetime(rows.get("date", pd.Series([], dtype=str))).dropna())
    found = inspect(SUBJECT, rows, trading, TODAY, limits or Limits())
    assert all(finding.message and finding.fix for finding in found)
    return {finding.code: finding for finding in found}


def test_good_sales_have_no_findings() -> None:
    assert look(sales(steady(120))) == {}


@pytest.mark.parametrize("field", ["date", "quantity"])
def test_rows_without_a_required_field_are_refused(field: str) -> None:
    found = look(sales(steady(120)).drop(columns=field))
    assert found[Code.MISSING_FIELD].severity is Severity.REFUSAL
    assert repr(field) in found[Code.MISSING_FIELD].message


@pytest.mark.parametrize(
    ("days", "code", "severity"),
    [
        (29, Code.TOO_SHORT, Severity.REFUSAL),
        (30, Code.SHORT_HISTORY, Severity.WARNING),
        (89, Code.SHORT_HISTORY, Severity.WARNING),
    ],
)
def test_few_days_are_a_warning_and_too_few_a_refusal(
    days: int, code: Code, severity: Severity
) -> None:
    found = look(sales(steady(days)))
    assert found[code].severity is severity
    assert found[code].count == days
    assert len(found) == 1


def test_ninety_days_are_enough() -> None:
    assert look(sales(steady(90))) == {}


@pytest.mark.parametrize(
    ("zeros", "allowed", "code"),
    [
        (70, False, None),
        (71, False, Code.MANY_ZEROS),
        (90, False, Code.MANY_ZEROS),
        (91, False, Code.TOO_MANY_ZEROS),
        (91, True, Code.MANY_ZEROS),
    ],
)
def test_the_share_of_zeros(zeros: int, allowed: bool, code: Code | None) -> None:
    quantities = [1.0 + day % 2 for day in range(100 - zeros)] + [0.0] * zeros
    found = look(sales(quantities), Limits(intermittent_allowed=allowed))
    assert set(found) == ({code} if code else set())
    if code:
        assert found[code].count == zeros


def test_zeros_constants_and_closed_days_only_are_refused() -> None:
    assert look(sales([0.0] * 60))[Code.ALL_ZERO].severity is Severity.REFUSAL
    assert look(sales([7.0] * 60))[Code.CONSTANT].severity is Severity.REFUSAL
    closed = series_of([float("nan")] * 60).history.assign(open=False)
    findings = inspect_history(SUBJECT, closed, Limits())
    assert [finding.code for finding in findings] == [Code.ALL_CLOSED]
    all_closed = sales(steady(60)).assign(open=0)
    assert look(all_closed)[Code.NO_SALES].severity is Severity.REFUSAL


def test_rows_that_are_read_otherwise_are_named_with_their_days() -> None:
    rows = sales(steady(150))
    rows.loc[10, "quantity"] = -4.0
    rows.loc[20, "quantity"] = np.nan
    rows.loc[30, "date"] = rows.loc[31, "date"]
    rows["open"] = 1.0
    rows.loc[[40, 41], "open"] = 0.0
    rows.loc[41, "quantity"] = np.nan
    found = look(rows)
    expected = {
        Code.NEGATIVE_QUANTITY: (1, rows.loc[10, "date"]),
        Code.MISSING_VALUE: (1, rows.loc[20, "date"]),
        Code.DUPLICATE: (1, rows.loc[31, "date"]),
        Code.SOLD_WHILE_CLOSED: (1, rows.loc[40, "date"]),
        Code.CLOSED_DAYS: (2, rows.loc[40, "date"]),
        Code.GAP_UNKNOWN: (1, rows.loc[31, "date"] - pd.Timedelta(days=1)),
    }
    assert {code: (item.count, item.first) for code, item in found.items()} == {
        code: (count, first.date()) for code, (count, first) in expected.items()
    }
    assert found[Code.DUPLICATE].severity is Severity.WARNING


def test_sales_of_days_to_come_are_a_warning_and_plans_are_not() -> None:
    rows = sales(steady(190))
    assert look(rows)[Code.FUTURE_DATE].count == 190 - 182
    rows.loc[rows["date"] > pd.Timestamp(TODAY), "quantity"] = np.nan
    assert look(rows) == {}


def test_gaps_are_zero_where_others_sold_and_unknown_elsewhere() -> None:
    rows = sales(steady(120)).drop(index=[50, 60, 61])
    others = pd.DatetimeIndex(rows["date"]).append(pd.DatetimeIndex(["2024-03-01"]))
    found = {item.code: item for item in inspect(SUBJECT, rows, others, TODAY, Limits())}
    zero, unknown = found[Code.GAP_READ_AS_ZERO], found[Code.GAP_UNKNOWN]
    assert (zero.first, zero.last, zero.count) == (date(2024, 3, 1), date(2024, 3, 1), 1)
    assert (unknown.first, unknown.last, unknown.count) == (
        date(2024, 2, 20),
        date(2024, 3, 2),
        2,
    )


def test_selling_out_most_days_is_a_warning() -> None:
    rows = sales(steady(100)).assign(stockout=[1.0] * 51 + [0.0] * 49)
    assert look(rows)[Code.OFTEN_SOLD_OUT].count == 51
    assert look(rows.assign(stockout=[1.0] * 50 + [0.0] * 50)) == {}


def test_refusals_come_first() -> None:
    rows = sales([0.0] * 20)
    rows.loc[3, "quantity"] = -1.0
    severities = [
        item.severity
        for item in inspect(SUBJECT, rows, pd.DatetimeIndex(rows["date"]), TODAY, Limits())
    ]
    assert severities == sorted(severities, key=["refusal", "warning", "info"].index)
    assert severities[0] is Severity.REFUSAL


def test_few_products_are_worth_a_word() -> None:
    assert [finding.code for finding in inspect_catalogue(2)] == [Code.FEW_PRODUCTS]
    assert inspect_catalogue(3) == ()
