"""API keys: random, shown once, stored as a digest, found by a visible prefix."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from enum import StrEnum

SCHEME = "mrw"


class Scope(StrEnum):
    READ = "read"
    INGEST = "ingest"
    TRAIN = "train"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made: `secret` is shown to its owner once, the rest is stored."""

    secret: str
    prefix: str
    digest: bytes


def make_key() -> NewKey:
    """256 random bits behind a prefix that can be read out on the telephone."""
    prefix = f"{SCHEME}_{secrets.token_hex(6)}"
    secret = f"{prefix}_{secrets.token_urlsafe(32)}"
    return NewKey(secret, prefix, digest_of(secret))


def digest_of(secret: str) -> bytes:
    """SHA-256: a key is 256 random bits, so a slow hash would guard nothing."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def prefix_of(secret: str) -> str | None:
    """The visible part of a well-formed key, else None."""
    scheme, _, rest = secret.partition("_")
    prefix, _, random = rest.partition("_")
    return f"{SCHEME}_{prefix}" if scheme == SCHEME and prefix.isalnum() and random else None


def same_secret(digest: bytes, secret: str) -> bool:
    """Whether `secret` has this digest, compared in constant time."""
    return hmac.compare_digest(digest, digest_of(secret))
