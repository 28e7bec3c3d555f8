"""A large body on its way in: to a temporary file, in bounded memory, checked on arrival."""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import IO

from fastapi import Request
from starlette.requests import ClientDisconnect

from services.training.models.repr_digest import mismatch
from shared.errors import Problem

MOST_BYTES = 500 * 1024 * 1024
CHUNK_BYTES = 1024 * 1024


@asynccontextmanager
async def received(
    request: Request, sha256: str, most: int = MOST_BYTES
) -> AsyncIterator[tuple[IO[bytes], str]]:
    """The body as a file, and its path; gone at the end. 413 beyond `most` bytes, 422 unless the
    bytes have this digest."""
    _refuse_length(request.headers.get("content-length"), most)
    with tempfile.NamedTemporaryFile(prefix="morrow-upload-") as file:
        found = await _spool(request, file.file, most)
        if found != sha256:
            raise mismatch(sha256, found)
        file.seek(0)
        yield file.file, file.name


async def chunks_of(file: IO[bytes]) -> AsyncIterator[bytes]:
    """The file from where it stands to its end."""
    while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
        yield chunk


async def _spool(request: Request, file: IO[bytes], most: int) -> str:
    digest, size = hashlib.sha256(), 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > most:
                raise _too_large(most)
            digest.update(chunk)
            await asyncio.to_thread(file.write, chunk)
    except ClientDisconnect:
        raise Problem(400, "body_incomplete", f"the body broke off after {size} bytes") from None
    await asyncio.to_thread(file.flush)
    return digest.hexdigest()


def _refuse_length(announced: str | None, most: int) -> None:
    if announced is not None and announced.isdecimal() and int(announced[:20]) > most:
        raise _too_large(most)


def _too_large(most: int) -> Problem:
    return Problem(413, "artifact_too_large", f"an artifact has at most {most} bytes")
