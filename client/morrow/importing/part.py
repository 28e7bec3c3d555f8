"""One import of several."""

from dataclasses import dataclass
from typing import Final

CSV: Final = "text/csv"
NDJSON: Final = "application/x-ndjson"
JSON: Final = "application/json"
PARQUET: Final = "application/vnd.apache.parquet"


@dataclass(frozen=True, slots=True)
class ImportLimits:
    """How much one import may hold."""

    rows: int
    bytes: int


STANDARD: Final = ImportLimits(rows=100_000, bytes=64 * 2**20)
"""Those of the standard plan."""


@dataclass(frozen=True, slots=True)
class Part:
    """`rows_before`: how many rows were in the parts before this one. `share`: how much of all is
    behind it, from 0 to 1; None where nobody knows how much there is."""

    body: bytes
    media_type: str
    rows_before: int
    share: float | None
