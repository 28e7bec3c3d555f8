"""Names of artifacts: a digest, and the key under which a store keeps it."""

import re

from shared.artifacts.errors import ArtifactNameRefused

OWNER = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,127}")
SHA256 = re.compile(r"[0-9a-f]{64}")


def key_of(owner: str, sha256: str) -> str:
    """`<owner>/<first two hex digits>/<sha256>`; `ArtifactNameRefused` for any other spelling."""
    checked_owner(owner)
    return f"{owner}/{_checked_digest(sha256)[:2]}/{sha256}"


def quarantine_key_of(owner: str, sha256: str) -> str:
    """Beside the artifacts of the owner, so that erasing the owner erases this too."""
    return f"{checked_owner(owner)}/quarantine/{_checked_digest(sha256)}"


def digest_in(key: str) -> str | None:
    """The digest that a key of `key_of` ends in; None for any other key, as one in quarantine."""
    parts = key.split("/")
    named = len(parts) >= 2 and SHA256.fullmatch(parts[-1]) and parts[-2] == parts[-1][:2]
    return parts[-1] if named else None


def checked_owner(owner: str) -> str:
    if OWNER.fullmatch(owner) is None:
        raise ArtifactNameRefused("owner", owner, "letters, digits, '_' and '-', 128 at most")
    return owner


def _checked_digest(sha256: str) -> str:
    if SHA256.fullmatch(sha256) is None:
        raise ArtifactNameRefused("sha256", sha256, "64 lower-case hex digits")
    return sha256
