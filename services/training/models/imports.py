"""Foreign bytes on their way to become a version: read in a process of their own."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.training.models import bundle_reader
from services.training.models.bundle import checked
from services.training.models.bundle_reader import BundleRefused
from services.training.models.new_model import (
    NewModel,
    foreign_prophet,
    imported_fingerprint,
    new_model,
)
from services.training.tables import Json
from shared.artifacts import Artifact


async def outline_of(path: str) -> Json:
    """What `bundle_reader` tells of the file. Raises `BundleRefused`."""
    async with _reader(path) as process:
        out, _ = await process.communicate()
    if process.returncode != 0:
        raise BundleRefused("too_complex", "reading it takes more time or memory than allowed")
    outline: Json = json.loads(out)
    if "refused" in outline:
        raise BundleRefused(**outline["refused"])
    if "bundle" in outline:
        checked(outline["bundle"])
    return outline


@asynccontextmanager
async def _reader(path: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        bundle_reader.__name__,
        path,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def series_named(outline: Json) -> tuple[str, str] | None:
    """The product and location a bundle was trained for; Prophet's own JSON names none."""
    bundle = outline.get("bundle")
    return None if bundle is None else (bundle["product"], bundle["location"])


def imported_model(outline: Json, series_id: int, artifact: Artifact) -> NewModel:
    """A version of the series from what was read."""
    lineage = {"source": "import"}
    if "prophet" in outline:
        return foreign_prophet(outline["prophet"], series_id, artifact, lineage)
    bundle = checked(outline["bundle"])
    return new_model(bundle, series_id, imported_fingerprint(artifact), artifact, lineage)
