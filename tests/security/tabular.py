"""Bodies that are no JSON: rows in each media type that is taken, and a model's bytes."""

import csv
import io
import json
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from tests.jobs.asking import FIRST_DAY
from tests.security.row import Place

SALE: Final = {
    "date": str(FIRST_DAY),
    "product": Place("product", 200),
    "location": Place("location", 200),
    "quantity": 3,
}
KNOWN: Final = {
    "date": str(FIRST_DAY),
    "product": Place("product", 200),
    "location": Place("location", 200),
    "promotion": 1,
}


def as_csv(body: Any, _: bytes) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(body["rows"][0]))
    writer.writeheader()
    writer.writerows(body["rows"])
    return text.getvalue().encode()


def as_lines(body: Any, _: bytes) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in body["rows"]).encode()


def as_parquet(body: Any, _: bytes) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(body["rows"]), file)
    return file.getvalue()


def own_artifact(_: Any, artifact: bytes) -> bytes:
    return artifact


TABULAR: Final = (
    ("application/json", None),
    ("text/csv", as_csv),
    ("application/x-ndjson", as_lines),
    ("application/vnd.apache.parquet", as_parquet),
)
