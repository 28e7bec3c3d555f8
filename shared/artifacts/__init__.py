"""Artifacts: bytes named by their SHA-256, verified whenever they are read."""

from shared.artifacts.address import open_store
from shared.artifacts.errors import (
    ArtifactCorrupt,
    ArtifactError,
    ArtifactMissing,
    ArtifactNameRefused,
    DigestMismatch,
    StoreAddressRefused,
    StoreUnavailable,
)
from shared.artifacts.store import Artifact, ArtifactStore

__all__ = [
    "Artifact",
    "ArtifactCorrupt",
    "ArtifactError",
    "ArtifactMissing",
    "ArtifactNameRefused",
    "ArtifactStore",
    "DigestMismatch",
    "StoreAddressRefused",
    "StoreUnavailable",
    "open_store",
]
