"""Files to and from the service: models, sales and forecasts."""

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import BinaryIO, Final, Literal

from morrow.call import Call, Content
from morrow.calls.forecasts import Levels, export_forecasts
from morrow.calls.models import import_artifact, read_artifact
from morrow.calls.sales import export_sales
from morrow.errors import Damaged, MorrowError
from morrow.link import Link
from morrow.schemas.models import Model
from morrow.values import Day, Id

CHUNK_BYTES: Final = 1024 * 1024
Format = Literal["csv", "parquet", "json"]
Name = str | PathLike[str]


@dataclass(frozen=True, slots=True)
class Download:
    """What was written."""

    path: Path
    bytes: int
    sha256: str


async def download_artifact(link: Link, model_id: Id, path: Name) -> Download:
    """Write a model's bytes to a file, verified against their SHA-256; `Damaged` where they are not
    what was promised, and then there is no file."""
    return await _download(link, read_artifact(model_id), Path(path))


async def download_sales(
    link: Link,
    path: Name,
    *,
    format: Format = "csv",
    product: str | None = None,
    location: str | None = None,
    first: Day | None = None,
    last: Day | None = None,
) -> Download:
    """Write the stored rows to a file, in order of location, product and date."""
    call = export_sales(format, product, location, first, last)
    return await _download(link, call, Path(path))


async def download_forecasts(
    link: Link,
    path: Name,
    *,
    format: Format = "csv",
    quantiles: Levels | None = None,
    whole: bool = False,
) -> Download:
    """Write every series' forecast to a file."""
    return await _download(link, export_forecasts(format, quantiles, whole), Path(path))


async def import_model(
    link: Link, path: Name, *, product: str | None = None, location: str | None = None
) -> Model:
    """Bring in a file of `download_artifact`, or Prophet's own JSON, as its product's challenger.
    Without `product` and `location` those of the bundle hold."""
    file = Path(path)
    size, digest = await link.wire.aside(lambda: _size_and_digest(file))
    content = Content(lambda: _chunks_of(file), size, "application/octet-stream")
    field = f"sha-256=:{base64.b64encode(digest).decode()}:"
    return await link.answer(import_artifact(content, field, product, location))


async def _download(link: Link, call: Call[object], path: Path) -> Download:
    """From the start again where it is cut, as often as any call is sent."""
    attempt = 1
    while True:
        try:
            return await _attempt(link, call, path)
        except MorrowError as error:
            pause = link.retries.pause(attempt, error, call.again, link.random)
            if pause is None:
                raise
        await link.wire.pause(pause)
        attempt += 1


async def _attempt(link: Link, call: Call[object], path: Path) -> Download:
    with _partial_file(path) as partial:
        async with link.opened(call) as (answer, chunks):
            promised = answer.headers.get("etag", "").strip('"')
            async for chunk in chunks:
                partial.write(chunk)
        found = partial.digest.hexdigest()
        if promised and found != promised:
            raise Damaged(
                "digest_mismatch",
                f"the bytes received have SHA-256 {found}, promised was {promised}: try again",
            )
    return Download(path, partial.size, found)


@dataclass(slots=True)
class _Partial:
    file: BinaryIO
    size: int = 0
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def write(self, chunk: bytes) -> None:
        self.file.write(chunk)
        self.digest.update(chunk)
        self.size += len(chunk)


@contextmanager
def _partial_file(path: Path) -> Iterator[_Partial]:
    """A file beside `path` that takes its place at a good end, and is gone at any other."""
    beside = path.with_name(f".{path.name}.partial")
    try:
        with beside.open("wb") as file:
            yield _Partial(file)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _size_and_digest(path: Path) -> tuple[int, bytes]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
        return file.tell(), digest


def _chunks_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
