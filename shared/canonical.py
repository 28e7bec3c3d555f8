"""The one spelling of a JSON value: what is equal has equal bytes, and so one digest."""

import gzip
import hashlib
import io
import json
import math


class NotCanonical(ValueError):
    """A value that JSON cannot hold: NaN, an infinity, or an object of no JSON type."""


def canonical_json(value: object) -> bytes:
    """UTF-8, keys sorted, no spaces. Raises `NotCanonical`."""
    try:
        text = json.dumps(
            value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        )
        return text.encode()
    except (TypeError, ValueError) as error:
        raise NotCanonical(f"no canonical JSON: {error}") from None


def without_nan(value: object) -> object:
    """The same value with null for every number that is not finite: JSON's word for unknown."""
    match value:
        case float():
            return value if math.isfinite(value) else None
        case dict():
            return {name: without_nan(item) for name, item in value.items()}
        case list() | tuple():
            return [without_nan(item) for item in value]
        case _:
            return value


def gzipped(data: bytes) -> bytes:
    """Compressed without a clock: the same bytes give the same bytes."""
    out = io.BytesIO()
    # GzipFile writes the same header on every platform and Python; gzip.compress does not.
    with gzip.GzipFile(filename="", mode="wb", fileobj=out, compresslevel=6, mtime=0) as file:
        file.write(data)
    return out.getvalue()


def sha256_of(data: bytes) -> str:
    """The digest as 64 lower-case hex digits."""
    return hashlib.sha256(data).hexdigest()


def digest_of_json(value: object) -> str:
    """SHA-256 of the canonical JSON: the fingerprint of a value."""
    return sha256_of(canonical_json(value))
