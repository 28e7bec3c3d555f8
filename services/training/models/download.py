"""The bytes of an artifact on their way out: whole or a part, verified before the first is sent."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import BinaryIO

from starlette.responses import Response, StreamingResponse

from services.training.models.byte_range import requested_range
from services.training.models.repr_digest import FIELD, repr_digest
from services.training.tables import Model

CHUNK_BYTES = 256 * 1024
GZIP = b"\x1f\x8b"


def is_unchanged(model: Model, headers: Mapping[str, str]) -> bool:
    """Whether the caller has these bytes already, by `If-None-Match`."""
    field = headers.get("if-none-match", "")
    tags = {tag.strip().removeprefix("W/") for tag in field.split(",")}
    return "*" in tags or _etag(model) in tags


def unchanged(model: Model) -> Response:
    return Response(status_code=304, headers=_fields(model))


async def served(model: Model, file: BinaryIO, headers: Mapping[str, str]) -> Response:
    """200 with the file, or 206 with the range asked for; 416 where that is empty. The caller
    keeps `file`, which is at its beginning, open until the response is sent."""
    # A range of bytes that have changed meanwhile would be glued to others: then send them all.
    asked = headers.get("range") if _still_the_same(model, headers) else None
    positions = requested_range(asked, model.bytes)
    gzipped = await asyncio.to_thread(_is_gzip, file)
    media_type = "application/gzip" if gzipped else "application/json"
    name = f"model-{model.id}.json{'.gz' if gzipped else ''}"
    fields = _fields(model) | {"Content-Disposition": f'attachment; filename="{name}"'}
    if positions is None:
        fields["Content-Length"] = str(model.bytes)
        return StreamingResponse(
            _part(file, range(model.bytes)), 200, headers=fields, media_type=media_type
        )
    fields["Content-Length"] = str(len(positions))
    fields["Content-Range"] = f"bytes {positions[0]}-{positions[-1]}/{model.bytes}"
    return StreamingResponse(_part(file, positions), 206, headers=fields, media_type=media_type)


def _etag(model: Model) -> str:
    return f'"{model.sha256}"'


def _fields(model: Model) -> dict[str, str]:
    return {
        "ETag": _etag(model),
        FIELD: repr_digest(model.sha256),
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
    }


def _still_the_same(model: Model, headers: Mapping[str, str]) -> bool:
    return headers.get("if-range", _etag(model)).strip() == _etag(model)


def _is_gzip(file: BinaryIO) -> bool:
    return file.read(len(GZIP)) == GZIP


async def _part(file: BinaryIO, positions: range) -> AsyncIterator[bytes]:
    await asyncio.to_thread(file.seek, positions.start)
    left = len(positions)
    while left > 0:
        chunk = await asyncio.to_thread(file.read, min(left, CHUNK_BYTES))
        left -= len(chunk)
        yield chunk
