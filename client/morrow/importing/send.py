"""Imports sent one after the other, and what they did together."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypedDict, cast

from morrow.call import BASE, Call, Content
from morrow.calls.tenants import get_own_tenant
from morrow.errors import Refused
from morrow.importing.files import media_type_of, parts_of_file
from morrow.importing.part import STANDARD, ImportLimits, Part
from morrow.importing.rows import Rows, is_frame, parts_of_frame, parts_of_rows
from morrow.link import Link
from morrow.schemas.problems import Fault

if TYPE_CHECKING:
    import pandas as pd

SALES: Final = "/sales"
REGRESSORS: Final = "/regressors"
CHUNK_BYTES: Final = 64 * 1024
FORBIDDEN: Final = 403


class Imported(TypedDict):
    """What all imports did together. `waiting`: rows that the service keeps on its disk until its
    database is back, under these `receipts` (see `get_receipt`)."""

    received: int
    inserted: int
    updated: int
    unchanged: int
    waiting: int
    receipts: list[str]


NOTHING: Final[Imported] = {
    "received": 0,
    "inserted": 0,
    "updated": 0,
    "unchanged": 0,
    "waiting": 0,
    "receipts": [],
}


@dataclass(frozen=True, slots=True)
class Progress:
    """`rows`: that are in. `share`: of all that there is, sent, from 0 to 1; None if unknown."""

    rows: int
    share: float | None


class ImportRefused(Refused):
    """The API refused a part. `errors` count rows from the first of all; `imported` is what the
    parts before did, which stays: sending them again changes nothing."""

    def __init__(self, refused: Refused, part: Part, imported: Imported) -> None:
        kept = imported["received"]
        super().__init__(
            refused.code,
            refused.detail
            + (f" (the {kept} rows before row {part.rows_before + 1} were kept)" if kept else ""),
            status=refused.status,
            errors=[_counted_from(part.rows_before, fault) for fault in refused.errors],
            request_id=refused.request_id,
            retry_after=refused.retry_after,
        )
        self.imported = imported


Told = Callable[[Progress], None]


async def import_sales(
    link: Link,
    rows: "Rows | pd.DataFrame",
    *,
    limits: ImportLimits | None = None,
    progress: Told | None = None,
) -> Imported:
    """Load sales: rows, an iterator of rows, or a data frame. A row that is sent again replaces the
    one of its location, product and date. In as many imports as the tenant's limits ask for, each
    all or nothing: see `ImportRefused`."""
    return await _import(link, SALES, _parts_of(rows), limits, progress)


async def import_sales_file(
    link: Link,
    path: str | PathLike[str],
    *,
    limits: ImportLimits | None = None,
    progress: Told | None = None,
) -> Imported:
    """Load a file of sales: .csv, .ndjson, .json or .parquet; as `import_sales`."""
    return await _import(link, SALES, _parts_of_path(path), limits, progress)


async def import_regressors(
    link: Link,
    rows: "Rows | pd.DataFrame",
    *,
    limits: ImportLimits | None = None,
    progress: Told | None = None,
) -> Imported:
    """Tell what is known of days, past or to come; as `import_sales`."""
    return await _import(link, REGRESSORS, _parts_of(rows), limits, progress)


async def import_regressors_file(
    link: Link,
    path: str | PathLike[str],
    *,
    limits: ImportLimits | None = None,
    progress: Told | None = None,
) -> Imported:
    """Tell what a file knows of days; as `import_sales_file`."""
    return await _import(link, REGRESSORS, _parts_of_path(path), limits, progress)


Cut = Callable[[ImportLimits], Iterator[Part]]


def _parts_of(rows: "Rows | pd.DataFrame") -> Cut:
    if isinstance(rows, str | bytes | PathLike):
        raise TypeError(f"{rows!r:.80} is no rows: a file goes with import_sales_file")
    if is_frame(rows):
        return partial(parts_of_frame, rows)
    return partial(parts_of_rows, cast("Rows", rows))


def _parts_of_path(path: str | PathLike[str]) -> Cut:
    media_type_of(Path(path))
    return partial(parts_of_file, Path(path))


async def _import(
    link: Link, path: str, cut: Cut, limits: ImportLimits | None, progress: Told | None
) -> Imported:
    total = NOTHING
    share = 0.0
    for part in cut(limits or await _limits_of(link)):
        telling = _Telling(progress, total["received"], share, part)
        try:
            answer = await link.answer(_call(path, part), telling.sent)
        except Refused as refused:
            raise ImportRefused(refused, part, total) from refused
        total = _sum(total, answer)
        share = part.share or 0.0
        telling.tell(total["received"], part.share)
    return total


async def _limits_of(link: Link) -> ImportLimits:
    """The tenant's own; those of the standard plan where the key may not read them."""
    try:
        limits = (await link.answer(get_own_tenant()))["limits"]
    except Refused as refused:
        if refused.status != FORBIDDEN:
            raise
        return STANDARD
    return ImportLimits(
        limits["import_rows"] or STANDARD.rows, limits["body_bytes"] or STANDARD.bytes
    )


def _call(path: str, part: Part) -> Call[dict[str, Any]]:
    body = memoryview(part.body)

    def chunks() -> Iterator[bytes]:
        return (bytes(body[at : at + CHUNK_BYTES]) for at in range(0, len(body), CHUNK_BYTES))

    return Call("POST", BASE + path, content=Content(chunks, len(body), part.media_type))


def _sum(total: Imported, answer: Mapping[str, Any]) -> Imported:
    """With what was answered for a part: what it did, or that it waits on the service's disk."""
    received = total["received"] + answer["received"]
    if "status_url" in answer:
        waiting = total["waiting"] + answer["received"]
        receipts = [*total["receipts"], str(answer["id"])]
        return {**total, "received": received, "waiting": waiting, "receipts": receipts}
    return {
        **total,
        "received": received,
        "inserted": total["inserted"] + answer["inserted"],
        "updated": total["updated"] + answer["updated"],
        "unchanged": total["unchanged"] + answer["unchanged"],
    }


def _counted_from(rows_before: int, fault: Fault) -> Fault:
    row = fault.get("row")
    return fault if row is None else {**fault, "row": row + rows_before}


@dataclass(slots=True)
class _Telling:
    """How far a part is. One that is sent again is not told of before it is further than it was."""

    progress: Told | None
    rows: int
    share: float
    part: Part
    _bytes: int = 0

    def sent(self, size: int) -> None:
        self._bytes += size
        if self.part.share is not None:
            done = min(1.0, self._bytes / max(1, len(self.part.body)))
            self.tell(self.rows, self.share + (self.part.share - self.share) * done)

    def tell(self, rows: int, share: float | None) -> None:
        if self.progress is not None:
            self.progress(Progress(rows, share))
