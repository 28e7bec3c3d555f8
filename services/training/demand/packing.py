"""JSON as compressed bytes: what is equal has equal bytes, on every platform."""

from __future__ import annotations

import gzip
import io
import json
from typing import Any


def packed(content: object) -> bytes:
    """Gzipped JSON with sorted keys; what JSON has no type for is written as its text."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)
    out = io.BytesIO()
    # GzipFile writes the same header on every platform and Python; gzip.compress does not.
    with gzip.GzipFile(filename="", mode="wb", fileobj=out, compresslevel=6, mtime=0) as file:
        file.write(text.encode())
    return out.getvalue()


def unpacked(data: bytes) -> Any:
    """The content of `packed`."""
    return json.loads(gzip.decompress(data))
