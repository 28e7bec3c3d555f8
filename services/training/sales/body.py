"""The bytes of a request, read as they come and never beyond a limit."""

import zlib
from collections.abc import AsyncIterator

from starlette.requests import Request

from services.training.sales.faults import refuse
from shared.errors import Problem

GZIP = 16 + zlib.MAX_WBITS


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body, unpacked if it came gzipped; 413 as soon as either is over `limit` bytes."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip"}:
        raise Problem(
            415,
            "unsupported_content_encoding",
            f"Content-Encoding {encoding:.40}: send gzip or none",
        )
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise too_large(limit)
    chunks = request.stream()
    return await _joined(_unpacked(chunks, limit) if encoding == "gzip" else chunks, limit)


def too_large(limit: int) -> Problem:
    return Problem(
        413, "body_too_large", f"the body is over {limit} bytes: send it in several requests"
    )


async def _joined(chunks: AsyncIterator[bytes], limit: int) -> bytes:
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > limit:
            raise too_large(limit)
    return bytes(body)


async def _unpacked(chunks: AsyncIterator[bytes], limit: int) -> AsyncIterator[bytes]:
    unpacker = zlib.decompressobj(GZIP)
    try:
        async for chunk in chunks:
            while chunk:
                if unpacker.eof:  # gzip files may be joined
                    unpacker = zlib.decompressobj(GZIP)
                yield unpacker.decompress(chunk, limit + 1)
                chunk = unpacker.unused_data or unpacker.unconsumed_tail
    except zlib.error as error:
        raise refuse("invalid_gzip", f"the body is not gzip: {error}") from None
    if not unpacker.eof:
        raise refuse("invalid_gzip", "the gzip body ends too soon: send all of it")
