"""Bodies through the readers and the checks, as the routes send them."""

import json
from collections.abc import Mapping
from datetime import date

from services.training.sales.media import reader_for
from services.training.sales.sales_rows import SalesRows, check_sales

TODAY = date(2026, 3, 10)


def check_csv(text: str | bytes) -> SalesRows:
    body = text.encode() if isinstance(text, str) else text
    return check_sales(reader_for("text/csv")(body), TODAY)


def check_json(*rows: Mapping[str, object]) -> SalesRows:
    return check_sales(reader_for("application/json")(json.dumps({"rows": rows}).encode()), TODAY)
