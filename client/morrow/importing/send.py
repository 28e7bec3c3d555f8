"""Imports sent one after the other, and what they did together."""

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from morrow.call import Call, Content
from morrow.calls.sales import post_regressors, post_sales
from morrow.calls.tenants import get_own_tenant
from morrow.errors import Refused
from morrow.importing.files import media_type_of, parts_of_file
from morrow.importing.outcome import Imported, ImportRefused, nothing, with_answer
from morrow.importing.part import STANDARD, ImportLimits, Part
from morrow.importing.progress import Telling, Told
from morrow.importing.rows import Rows, is_frame, parts_of_frame, parts_of_rows
from morrow.link import Link
from morrow.schemas.sales import ImportReceipt
from morrow.schemas.spool import Receipt

if TYPE_CHECKING:
    import pandas as pd

CHUNK_BYTES: Final = 64 * 1024
FORBIDDEN: Final = 403


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
    return await _import(link, post_sales, _parts_of(rows), limits, progress)


async def import_sales_file(
    link: Link,
    path: str | PathLike[str],
    *,
    limits: ImportLimits | None = None,
    progress: Told | None = None,
) -> Imported:
    """Load a file of sales: .csv, .ndjson, .json or .parquet; as `import_sales`."""
    return await _import(link, post_sales, _parts_of_path(path), limits, progress)


async def import_regressors(
    link: Link,
    rows: "Rows | pd.DataFrame",
    *,
    limits: ImportLimits | None = None,
    progress: Told | None = None,
) -> Imported:
    """Tell what is known of days, past or to come; as `import_sales`."""
    return await _import(link, post_regressors, _parts_of(rows), limits, progress)


async def import_regressors_file(
    link: Link,
    path: str | PathLike[str],
    *,
    limits: ImportLimits | None = None,
    progress: Told | None = None,
) -> Imported:
    """Tell what a file knows of days; as `import_sales_file`."""
    return await _import(link, post_regressors, _parts_of_path(path), limits, progress)


Post = Callable[[Content], Call[ImportReceipt | Receipt]]
Cut = Callable[[Link, ImportLimits], AsyncGenerator[Part, None]]


def _parts_of(rows: "Rows | pd.DataFrame") -> Cut:
    if isinstance(rows, str | bytes | PathLike):
        raise TypeError(f"{rows!r:.80} is no rows: a file goes with import_sales_file")

    async def cut(link: Link, limits: ImportLimits) -> AsyncGenerator[Part, None]:
        if is_frame(rows):
            parts = parts_of_frame(rows, limits)
        else:
            parts = parts_of_rows(cast("Rows", rows), limits)
        for part in parts:
            yield part

    return cut


def _parts_of_path(name: str | PathLike[str]) -> Cut:
    path = Path(name)
    media_type_of(path)

    async def cut(link: Link, limits: ImportLimits) -> AsyncGenerator[Part, None]:
        parts = parts_of_file(path, limits)
        while (part := await link.wire.aside(partial(next, parts, None))) is not None:
            yield part

    return cut


async def _import(
    link: Link, post: Post, cut: Cut, limits: ImportLimits | None, progress: Told | None
) -> Imported:
    total, share = nothing(), 0.0
    async with aclosing(cut(link, limits or await _limits_of(link))) as parts:
        async for part in parts:
            telling = Telling(progress, total["received"], share, part)
            try:
                answer = await link.answer(post(_content(part)), telling.sent)
            except Refused as refused:
                raise ImportRefused(refused, part, total) from refused
            total, share = with_answer(total, answer), part.share or 0.0
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
    rows, size = limits["import_rows"], limits["body_bytes"]
    return ImportLimits(rows or STANDARD.rows, size or STANDARD.bytes)


def _content(part: Part) -> Content:
    body = memoryview(part.body)

    def chunks() -> Iterator[bytes]:
        return (bytes(body[at : at + CHUNK_BYTES]) for at in range(0, len(body), CHUNK_BYTES))

    return Content(chunks, len(body), part.media_type)
