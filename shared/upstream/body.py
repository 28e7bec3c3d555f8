"""The body of an answer, decoded as it comes and never beyond its limit."""

import zlib
from collections.abc import AsyncIterator
from typing import Final

import httpx

GZIP: Final = 16 + zlib.MAX_WBITS
ENCODINGS: Final = frozenset({"", "identity", "gzip", "x-gzip"})
ACCEPTED: Final = "gzip"


class TooLarge(Exception):
    """The body is larger than it may be."""


class Undecodable(Exception):
    """The body is not in the encoding that its header names, or in one that was not asked for."""


async def read_body(response: httpx.Response, most: int) -> bytes:
    """The decoded body of at most `most` bytes; else `TooLarge`, before more than that is held.

    Decoded here, since `httpx` inflates each piece whole, which may be a thousandfold.
    """
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding not in ENCODINGS:
        raise Undecodable(f"is encoded as {encoding[:40]!r}, which was not asked for")
    pieces = response.aiter_raw()
    body = bytearray()
    async for piece in _inflated(pieces, most + 1) if encoding in {"gzip", "x-gzip"} else pieces:
        body += piece
        if len(body) > most:
            raise TooLarge
    return bytes(body)


async def _inflated(pieces: AsyncIterator[bytes], most: int) -> AsyncIterator[bytes]:
    """At most `most` bytes at once; a stream may have several members, one after the other."""
    inflater = zlib.decompressobj(GZIP)
    begun = False
    try:
        async for piece in pieces:
            while piece:
                begun = True
                yield inflater.decompress(piece, most)
                piece = inflater.unconsumed_tail
                if inflater.eof:
                    piece, inflater, begun = inflater.unused_data, zlib.decompressobj(GZIP), False
    except zlib.error:
        raise Undecodable("is not the gzip that its header promises") from None
    if begun:
        raise Undecodable("ends in the middle of its gzip")
