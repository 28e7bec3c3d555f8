"""One acknowledged request as it lies on the disk.

    magic | header length, 4 bytes | header, JSON | payload | SHA-256 of all before it

A file that is cut short anywhere, or has another byte anywhere, is not read: the digest says so.
"""

import datetime as dt
import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self
from uuid import UUID

from pydantic import BaseModel, ValidationError

MAGIC: Final = b"morrow batch 1\n"
LENGTH: Final = struct.Struct(">I")
HEADER_AT: Final = len(MAGIC) + LENGTH.size
DIGEST_BYTES: Final = hashlib.sha256().digest_size
LONGEST_HEADER: Final = 8192


class Damaged(Exception):
    """Bytes that are no whole batch."""


class Header(BaseModel):
    """What is known of a batch without its payload."""

    receipt_id: UUID
    tenant_id: UUID
    kind: str
    media_type: str | None
    received_at: dt.datetime
    rows: int


@dataclass(frozen=True, slots=True)
class Batch:
    """`payload` is the body as it was sent (unpacked), and `header.kind` says who can read it."""

    header: Header
    payload: bytes

    def parts(self) -> Iterator[bytes]:
        """The bytes of the file."""
        header = self.header.model_dump_json().encode()
        digest = hashlib.sha256()
        for part in (MAGIC + LENGTH.pack(len(header)) + header, self.payload):
            digest.update(part)
            yield part
        yield digest.digest()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """What `parts` gave. Raises `Damaged`."""
        body, digest = memoryview(data)[:-DIGEST_BYTES], data[-DIGEST_BYTES:]
        if len(data) < HEADER_AT + DIGEST_BYTES or hashlib.sha256(body).digest() != digest:
            raise Damaged(f"{len(data)} bytes whose digest does not match")
        header = header_of(data)
        end = HEADER_AT + LENGTH.unpack_from(data, len(MAGIC))[0]
        return cls(header, bytes(body[end:]))


def header_of(start: bytes) -> Header:
    """The header at the start of a file. Raises `Damaged`."""
    if not start.startswith(MAGIC) or len(start) < HEADER_AT:
        raise Damaged("it does not begin as a batch does")
    (length,) = LENGTH.unpack_from(start, len(MAGIC))
    try:
        return Header.model_validate_json(start[HEADER_AT : HEADER_AT + length])
    except ValidationError as error:
        raise Damaged(f"its header cannot be read: {error.error_count()} faults") from error
