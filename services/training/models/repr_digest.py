"""The `Repr-Digest` field (RFC 9530): which bytes a sender means."""

import base64
import binascii
import re

from shared.errors import InputError, Problem, invalid

SHA256 = re.compile(r"(?:^|,)\s*sha-256\s*=\s*:([A-Za-z0-9+/=]*):\s*(?:$|[,;])")
DIGEST_BYTES = 32
FIELD = "Repr-Digest"


def repr_digest(sha256: str) -> str:
    """The field's value for a digest in hex."""
    return f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode()}:"


def announced_digest(field: str | None) -> str:
    """The SHA-256 in hex that the field announces; 422 where it announces none."""
    found = SHA256.search(field or "")
    if found is None:
        raise invalid(
            FIELD,
            "digest_missing",
            "send the SHA-256 of the bytes as `Repr-Digest: sha-256=:<base64>:`",
        )
    try:
        digest = base64.b64decode(found[1], validate=True)
    except binascii.Error:
        digest = b""
    if len(digest) != DIGEST_BYTES:
        raise invalid(FIELD, "digest_malformed", f"sha-256 is {DIGEST_BYTES} bytes in base64")
    return digest.hex()


def mismatch(announced: str, found: str) -> Problem:
    message = (
        f"{FIELD} announced {repr_digest(announced)}, the bytes received are "
        f"{repr_digest(found)}: send them again"
    )
    fault = InputError(field=FIELD, code="digest_mismatch", message=message)
    return Problem(422, "digest_mismatch", message, [fault])
