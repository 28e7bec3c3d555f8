"""What taking sales in costs the API and the database, by request and by row."""

from functools import partial
from typing import Final

import numpy as np
import pandas as pd

from benchmarks.made_tenant import made_tenant
from benchmarks.processes import cpu_seconds
from benchmarks.scaling.measuring.bill import Bill
from benchmarks.scaling.measuring.figure import Figure
from benchmarks.scaling.measuring.stage import Stage
from benchmarks.served_api import OPERATOR_KEY
from benchmarks.service import checked, tenant_client

SIZES: Final = (40, 2_000, 20_000)
REQUESTS: Final = {40: 60, 2_000: 15, 20_000: 4}
SERIES: Final = 40


def import_costs(stage: Stage) -> dict[str, Figure]:
    """A day of a tenant with 40 products, and what fills up: always days that were not there yet.
    One whose products and series are there already, as every evening after the first."""
    spent: dict[int, tuple[float, Bill]] = {}
    tenant = made_tenant(SERIES)
    with tenant_client(stage.served.address, OPERATOR_KEY, tenant, "unlimited") as client:
        first = pd.Timestamp("1990-01-01")

        def post(rows: int) -> None:
            nonlocal first
            days = rows // SERIES
            body = _days(first, days)
            first += pd.Timedelta(days=days)
            content = {"Content-Type": "text/csv"}
            checked(client.post("/sales", content=body, headers=content))

        def post_all(rows: int) -> None:
            for _ in range(REQUESTS[rows]):
                post(rows)

        post(SERIES)
        for rows in SIZES:
            own = cpu_seconds(stage.served.pid)
            bill = stage.till.bill(partial(post_all, rows))
            one = bill.times(1 / REQUESTS[rows])
            spent[rows] = ((cpu_seconds(stage.served.pid) - own) / REQUESTS[rows], one)
    return _told(spent)


def _days(first: pd.Timestamp, days: int) -> bytes:
    dates = pd.date_range(first, periods=days).strftime("%Y-%m-%d")
    frame = pd.DataFrame(
        {
            "date": np.repeat(dates, SERIES),
            "product": np.tile([f"product {number}" for number in range(SERIES)], days),
            "quantity": 7.0,
            "price": 2.5,
        }
    )
    text: str = frame.to_csv(index=False)
    return text.encode()


def _told(spent: dict[int, tuple[float, Bill]]) -> dict[str, Figure]:
    kinds = {
        "api_ms": [1000 * own for own, _ in spent.values()],
        "db_ms": [1000 * bill.cpu_seconds for _, bill in spent.values()],
        "wal_bytes": [bill.wal_bytes for _, bill in spent.values()],
        "statements": [bill.statements for _, bill in spent.values()],
        "commits": [bill.commits for _, bill in spent.values()],
    }
    found = {}
    how = "a line through POST /sales of " + ", ".join(f"{rows:,}" for rows in spent) + " rows, CSV"
    requests = sum(REQUESTS.values())
    for name, values in kinds.items():
        # Weighed so that the small request, of which there are most, is met as well as the large.
        weights = [1 / max(value, 1e-9) for value in values]
        slope, intercept = np.polyfit([rows / 1000 for rows in spent], values, 1, w=weights)
        found[f"import_{name}_per_request"] = Figure(max(0.0, intercept), name, requests, how)
        found[f"import_{name}_per_1000_rows"] = Figure(max(0.0, slope), name, requests, how)
    return found
