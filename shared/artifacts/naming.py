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


def checked_owner(owner: str) -> str:
    if OWNER.fullmatch(owner) is None:
        raise ArtifactNameRefused("owner", owner, "letters, digits, '_' and '-', 128 at most")
    return owner


def _checked_digest(sha256: str) -> str:
    if SHA256.fullmatch(sha256) is None:
        raise ArtifactNameRefused("sha256", sha256, "64 lower-case hex digits")
    return sha256
