"""From an address to the store behind it."""

from pathlib import Path
from urllib.parse import urlsplit

from shared.artifacts.errors import StoreAddressRefused, StoreUnavailable
from shared.artifacts.local import LocalArtifacts
from shared.artifacts.s3 import open_bucket
from shared.artifacts.store import ArtifactStore

SCHEME = "s3://"


def open_store(root: str | Path) -> ArtifactStore:
    """The store at a directory (made if absent, 0700) or at `s3://bucket/prefix`.

    Raises `StoreAddressRefused` for what is neither, or for an unencrypted endpoint elsewhere,
    `StoreUnavailable` for a directory that cannot be made. A bucket is first asked when used.
    """
    if isinstance(root, str) and "://" in root:
        return _bucket_store(root)
    return _directory_store(Path(root))


def _bucket_store(address: str) -> ArtifactStore:
    parts = urlsplit(address)
    if not address.startswith(SCHEME) or not parts.netloc or parts.query or parts.fragment:
        raise StoreAddressRefused(f"{address!r} is neither a directory nor s3://bucket/prefix")
    return open_bucket(parts.netloc, parts.path.strip("/"))


def _directory_store(root: Path) -> ArtifactStore:
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(f"the artifact directory {root} cannot be made: {error}") from error
    return LocalArtifacts(root)
