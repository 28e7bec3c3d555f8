"""The sample bakery's sales as a till would hand them out: in pages, by when they were changed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd

from services.training.sample.api_shapes import HasSales

Row = dict[str, str | int | float | None]
CLOSING = timedelta(hours=20)


@dataclass(frozen=True, slots=True)
class Till:
    """Rows in order of `updated_at`."""

    rows: tuple[Row, ...]

    def page(self, since: datetime | None, cursor: int, limit: int) -> tuple[list[Row], int | None]:
        """At most so many rows that were changed since, and where the next page begins."""
        found = self.rows
        if since is not None:
            told = f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
            found = tuple(row for row in found if str(row["updated_at"]) >= told)
        end = cursor + limit
        return list(found[cursor:end]), end if end < len(found) else None


def till_of(sales: HasSales) -> Till:
    """Each day's rows at its closing; what is planned, with the last day that was sold."""
    frame = sales.sales
    sold = pd.Timestamp(frame.loc[frame["quantity"].notna(), "date"].max())
    rows: list[Row] = []
    for row in frame.sort_values(["date", "product"], kind="stable").to_dict("records"):
        day = min(pd.Timestamp(row["date"]), sold)
        told: Row = {str(name): value for name, value in row.items() if not pd.isna(value)}
        told["date"] = f"{pd.Timestamp(row['date']):%Y-%m-%d}"
        if not pd.isna(row["quantity"]):
            told["quantity"] = float(row["quantity"])
        elif pd.Timestamp(row["date"]) <= sold and told.get("open") != 0:
            continue
        else:
            told["quantity"] = None
        told["updated_at"] = f"{day + CLOSING:%Y-%m-%dT%H:%M:%SZ}"
        rows.append(told)
    return Till(tuple(sorted(rows, key=lambda row: str(row["updated_at"]))))


@dataclass(frozen=True, slots=True)
class SalesFile:
    """Sales from a CSV with the columns of `POST /api/v1/sales`."""

    sales: pd.DataFrame


def read_sales_file(path: Path) -> SalesFile:
    """Raises what pandas raises for what is no CSV, and ValueError without the columns."""
    frame = pd.read_csv(path, parse_dates=["date"])
    missing = {"date", "product", "quantity"} - set(frame.columns)
    if missing:
        raise ValueError(f"{path} lacks the columns {', '.join(sorted(missing))}")
    return SalesFile(frame)
