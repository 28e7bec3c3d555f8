"""Which medium a body is in, and its reader."""

from collections.abc import Callable, Mapping
from email.message import Message
from typing import Final

from services.training.sales.faults import refuse
from services.training.sales.frame import Frame
from services.training.sales.json_rows import read_json, read_ndjson
from services.training.sales.tabular import read_csv, read_parquet
from shared.errors import Problem

Reader = Callable[[bytes], Frame]

TEXT_READERS: Final[Mapping[str, Reader]] = {
    "application/json": read_json,
    "text/csv": read_csv,
    "application/x-ndjson": read_ndjson,
    "application/ndjson": read_ndjson,
}
BINARY_READERS: Final[Mapping[str, Reader]] = {
    "application/vnd.apache.parquet": read_parquet,
    "application/x-parquet": read_parquet,
    "application/parquet": read_parquet,
}
UTF8: Final = {"utf-8", "utf8", "us-ascii"}
BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


def reader_for(content_type: str | None) -> Reader:
    """The reader of this `Content-Type`; 415 where there is none."""
    header = Message()
    header["Content-Type"] = content_type or "application/octet-stream"
    media_type = header.get_content_type()
    if media_type in BINARY_READERS:
        return BINARY_READERS[media_type]
    if media_type not in TEXT_READERS:
        known = ", ".join([*TEXT_READERS, *BINARY_READERS])
        raise Problem(
            415, "unsupported_media_type", f"Content-Type {content_type!r:.80} is none of {known}"
        )
    charset = str(header.get_content_charset() or "utf-8")
    if charset not in UTF8:
        raise Problem(415, "unsupported_charset", f"charset {charset:.40}: send the text as UTF-8")
    return _text_reader(TEXT_READERS[media_type])


def _text_reader(reader: Reader) -> Reader:
    def read(body: bytes) -> Frame:
        return reader(_utf8(body))

    return read


def _utf8(body: bytes) -> bytes:
    text = body.removeprefix(BYTE_ORDER_MARK)
    if not text.strip():
        raise refuse("empty_body", "the body is empty: send at least the names of the columns")
    try:
        text.decode()
    except UnicodeDecodeError as error:
        raise refuse(
            "invalid_encoding", f"byte {error.start} is not UTF-8: save the text as UTF-8"
        ) from None
    return text
